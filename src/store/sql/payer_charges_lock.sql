-- Locks the balances of the fees that statements ($1) charge, in the order of the fees' ids; no row for a statement without any.
SELECT b.fee_id, b.total_fen, b.paid_fen, b.voided_at IS NOT NULL AS void
  FROM fee_balances b
 WHERE b.fee_id IN (SELECT l.fee_id FROM payer_statement_lines l WHERE l.statement_id = ANY ($1) AND l.kind = 'charge')
 ORDER BY b.fee_id
   FOR UPDATE
