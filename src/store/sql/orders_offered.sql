-- Keeps what the payer needs, fresh from the provider; no row when the order is not pending.
UPDATE orders SET pay = $2, placed_at = $3 WHERE order_id = $1 AND state = 'pending' RETURNING order_id
