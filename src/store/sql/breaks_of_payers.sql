-- Where payers' statements and transfers disagree with fees, orders and the bank's lines, a sentence a row; no row when they agree.
SELECT format('payer statement %s is %s fen, its charges are %s', s.number, s.total_fen, COALESCE(sum(l.amount_fen), 0)) AS break
  FROM payer_statements s LEFT JOIN payer_statement_lines l ON l.statement_id = s.statement_id AND l.kind = 'charge'
 GROUP BY s.statement_id HAVING s.total_fen <> COALESCE(sum(l.amount_fen), 0)
UNION ALL
SELECT format('payer statement %s is paid, its fee %s has %s of %s fen', s.number, b.fee_id, b.paid_fen, b.total_fen)
  FROM payer_match_statements m JOIN payer_statements s USING (statement_id) JOIN payer_statement_lines l USING (statement_id)
       JOIN fee_balances b USING (fee_id)
 WHERE l.kind = 'charge' AND b.voided_at IS NULL AND b.paid_fen <> b.total_fen
UNION ALL
SELECT format('order %s is %s fen by transfer, bank line %s brought %s', o.order_id, o.amount_fen, o.provider_trade_no, COALESCE(b.amount_fen::text, 'nothing'))
  FROM orders o LEFT JOIN payer_match_credits c USING (order_id)
       LEFT JOIN bank_lines b ON b.bank_serial = c.bank_serial AND b.bank_serial = o.provider_trade_no AND b.direction = 'in'
 WHERE o.provider = 'bank'
   AND (b.amount_fen IS DISTINCT FROM o.amount_fen OR o.paid_at IS DISTINCT FROM b.value_date::timestamp AT TIME ZONE interval '8 hours')
UNION ALL
SELECT format('bank line %s is a transfer and a settlement', c.bank_serial) FROM payer_match_credits c JOIN standing_matches m USING (bank_serial)
UNION ALL
SELECT format('fee %s of account %s is paid by order %s through %s', f.fee_id, COALESCE(f.payer_account, 'none'), o.order_id, o.provider)
  FROM order_allocations a JOIN orders o USING (order_id) JOIN fees f USING (fee_id)
 WHERE (f.payer_account IS NOT NULL) <> (o.provider = 'bank')
UNION ALL
-- What a transfer brings is what its statements charge.
SELECT format('order %s pays fee %s, which no statement of its match charges', c.order_id, a.fee_id)
  FROM payer_match_credits c JOIN order_allocations a USING (order_id)
 WHERE NOT EXISTS (SELECT FROM payer_match_statements m JOIN payer_statement_lines l USING (statement_id)
                    WHERE m.match_id = c.match_id AND l.fee_id = a.fee_id AND l.kind = 'charge')
UNION ALL
-- Who said so stands on the audit trail once, by the same name.
SELECT format('match %s was confirmed by %s, the audit trail has %s', t.match_id, COALESCE(t.claimed_by, 'nobody'), COALESCE(string_agg(a."by", ', '), 'nobody'))
  FROM payer_matches t LEFT JOIN audit_entries a ON a.subject = t.match_id AND a.action = 'payer_statement.confirmed'
 GROUP BY t.match_id HAVING count(a.seq) <> CASE WHEN t.claimed_by IS NULL THEN 0 ELSE 1 END OR bool_or(a."by" <> t.claimed_by)
