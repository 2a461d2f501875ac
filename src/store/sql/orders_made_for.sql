-- Says whom alone an order was made for, unreadably; no row when there is no such order.
UPDATE orders SET payer_index = $2 WHERE order_id = $1 RETURNING order_id
