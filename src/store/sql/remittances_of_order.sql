-- What of an order's payments was paid over to the treasury, by payment and fee; no row when nothing was.
SELECT s.payment_id, s.fee_id, sum(s.amount_fen)::bigint AS remitted_fen
  FROM payments p JOIN standing_remittance_shares s USING (payment_id)
 WHERE p.order_id = $1
 GROUP BY s.payment_id, s.fee_id
