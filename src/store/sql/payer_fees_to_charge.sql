-- Locks what an account ($1) owes of fees issued before a moment ($2) that stand on no statement yet, in the order of the fees'
-- ids; no row when it owes nothing.
SELECT b.fee_id, b.total_fen
  FROM fees f JOIN fee_balances b USING (fee_id)
 WHERE f.payer_account = $1 AND f.application_id = $3 AND f.issued_at < $2 AND b.voided_at IS NULL AND b.total_fen > 0
   AND NOT EXISTS (SELECT FROM payer_statement_lines l WHERE l.fee_id = f.fee_id AND l.kind = 'charge')
 ORDER BY b.fee_id
   FOR UPDATE OF b
