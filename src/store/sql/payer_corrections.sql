-- What happened since to fees that stand on statements of an account ($1) and no statement tells of: withdrawn, or given back.
-- No row when nothing did.
SELECT b.fee_id, 'void' AS kind, -b.total_fen AS amount_fen
  FROM payer_statements s JOIN payer_statement_lines l USING (statement_id) JOIN fee_balances b USING (fee_id)
 WHERE s.account = $1 AND l.kind = 'charge' AND b.voided_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM payer_statement_lines v WHERE v.fee_id = b.fee_id AND v.kind = 'void')
UNION ALL
SELECT b.fee_id, 'refund', -(b.refunded_fen + t.told_fen)
  FROM payer_statements s JOIN payer_statement_lines l USING (statement_id) JOIN fee_balances b USING (fee_id)
 CROSS JOIN LATERAL (SELECT COALESCE(sum(r.amount_fen), 0)::bigint AS told_fen
                       FROM payer_statement_lines r WHERE r.fee_id = b.fee_id AND r.kind = 'refund') t
 WHERE s.account = $1 AND l.kind = 'charge' AND b.refunded_fen + t.told_fen > 0
 ORDER BY 1, 2
