-- Entries of a journal with their lines after a number, in order, and what their payment says that no line does; no row at
-- the end.
SELECT e.seq, e.kind, e.subject_id, e.occurred_at, e.recorded_at, e.mac,
       COALESCE((SELECT ARRAY[p.provider, p.provider_trade_no, p.order_id, p.coupon_fen::text]
                   FROM payments p WHERE p.payment_id = e.subject_id), '{}') AS fact,
       COALESCE((SELECT jsonb_agg(jsonb_build_object('debit', l.debit, 'credit', l.credit, 'amount_fen', l.amount_fen, 'fee_id', l.fee_id) ORDER BY l.line)
                   FROM journal_lines l WHERE l.merchant_id = e.merchant_id AND l.seq = e.seq), '[]') AS lines
  FROM journal_entries e
 WHERE e.merchant_id = $1 AND e.seq > $2
 ORDER BY e.seq LIMIT $3
