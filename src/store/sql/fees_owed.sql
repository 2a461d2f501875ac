-- How an application's fees stand, in the order of their ids; no row for a fee that is not there.
SELECT b.fee_id, b.total_fen, b.paid_fen, b.refunding_fen, b.refunded_fen, b.remitted_fen, b.treasury_refunding_fen,
       b.voided_at IS NOT NULL AS void, (SELECT l.order_id FROM live_orders l WHERE l.fee_id = b.fee_id) AS live_order_id, f.payer_account
  FROM fee_balances b JOIN fees f USING (fee_id)
 WHERE b.fee_id = ANY ($1) AND f.application_id = $2
 ORDER BY b.fee_id
