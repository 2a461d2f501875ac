-- Settlements of bill days from $1 to $2 after an id ($3) as JSON; one that was due by $4 and has not arrived is late. No row
-- when there is none.
SELECT jsonb_build_object(
    'settlement_id', s.settlement_id, 'account', s.account, 'bill_date', s.bill_date, 'due_on', s.due_on, 'run_id', s.run_id,
    'payments_fen', s.payments_fen, 'refunds_fen', s.refunds_fen, 'fee_fen', s.fee_fen, 'net_fen', s.net_fen,
    'is_late', COALESCE(m.match_id IS NULL AND s.net_fen > 0 AND s.due_on <= $4, false),
    'merchants', (SELECT jsonb_agg(h.merchant_id ORDER BY h.position) FROM settlement_shares h WHERE h.settlement_id = s.settlement_id),
    'changed', CASE WHEN r.net_fen <> s.net_fen OR r.fee_fen <> s.fee_fen OR r.payments_fen <> s.payments_fen THEN jsonb_build_object(
        'run_id', r.run_id, 'payments_fen', r.payments_fen, 'refunds_fen', r.refunds_fen, 'fee_fen', r.fee_fen, 'net_fen', r.net_fen) END,
    'arrival', CASE WHEN m.match_id IS NOT NULL THEN jsonb_build_object(
        'match_id', m.match_id, 'bank_serial', m.bank_serial, 'value_date', b.value_date, 'credit_fen', m.amount_fen,
        'expected_fen', m.expected_fen, 'difference_fen', m.difference_fen, 'cause', m.cause, 'claimed_by', m.claimed_by,
        'confirmed_by', m.confirmed_by, 'reason', m.reason,
        'days', (SELECT jsonb_agg(o.bill_date ORDER BY o.bill_date)
                   FROM standing_match_days e JOIN settlements o USING (settlement_id) WHERE e.match_id = m.match_id)) END)
  FROM settlements s
       LEFT JOIN standing_match_days d USING (settlement_id)
       LEFT JOIN standing_matches m USING (match_id)
       LEFT JOIN bank_lines b USING (bank_serial)
       LEFT JOIN LATERAL (SELECT * FROM settlement_revisions v WHERE v.settlement_id = s.settlement_id AND v.made_at >= m.matched_at
                           ORDER BY v.position DESC LIMIT 1) r ON true
 WHERE s.bill_date BETWEEN $1 AND $2
   AND ($3::text IS NULL OR (s.bill_date, s.account) > (SELECT c.bill_date, c.account FROM settlements c WHERE c.settlement_id = $3))
 ORDER BY s.bill_date, s.account LIMIT $5
