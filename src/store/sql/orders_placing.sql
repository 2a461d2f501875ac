-- Says that the call that places an order leaves now; no row when there is no such order.
UPDATE orders SET placing_at = $2 WHERE order_id = $1 RETURNING order_id
