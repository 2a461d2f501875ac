-- Withdraws a fee; no row when something was paid, an order is live, or it is void already.
UPDATE fee_balances SET voided_at = $2
 WHERE fee_id = $1 AND voided_at IS NULL AND paid_fen = 0
   AND NOT EXISTS (SELECT FROM live_orders WHERE live_orders.fee_id = fee_balances.fee_id)
RETURNING fee_id
