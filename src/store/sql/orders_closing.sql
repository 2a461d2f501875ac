-- Says since when an order is being taken back, NULL when that ended; no row when there is no such order.
UPDATE orders SET closing_at = $2 WHERE order_id = $1 RETURNING order_id
