-- Frees the fees of an order that cannot be paid any more; no row when they were free.
DELETE FROM live_orders WHERE order_id = $1 RETURNING fee_id
