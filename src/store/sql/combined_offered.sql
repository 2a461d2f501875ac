-- Keeps what the payer needs, fresh from the provider; no row when there is no such order.
UPDATE combined_orders SET pay = $2, placed_at = $3 WHERE combined_id = $1 RETURNING combined_id
