-- What was collected for fees before a moment ($1) and neither goes back through providers nor was remitted, a fee a row, with
-- the moment of its first payment and the lines that it is made of; no row when nothing is owed, or when no remittance was ever
-- told here: then nobody can say what was remitted.
SELECT f.fee_id, p.first_paid_at, LEAST(b.open_fen, p.paid_fen) AS open_fen, f.quote -> 'lines' AS lines
  FROM (SELECT fee_id, paid_fen - (refunding_fen - treasury_refunding_fen) - remitted_fen AS open_fen
          FROM fee_balances
         WHERE paid_fen - (refunding_fen - treasury_refunding_fen) - remitted_fen > 0 AND EXISTS (SELECT FROM remittances)) b
       JOIN fees f USING (fee_id)
       CROSS JOIN LATERAL (SELECT min(y.paid_at) AS first_paid_at, sum(s.amount_fen)::bigint AS paid_fen
                             FROM payment_shares s JOIN payments y USING (payment_id)
                            WHERE y.order_id IN (SELECT order_id FROM order_allocations WHERE fee_id = b.fee_id)
                              AND s.fee_id = b.fee_id AND y.paid_at < $1) p
 WHERE p.first_paid_at IS NOT NULL
 ORDER BY f.fee_id
