-- The stored call that placed an order; no row when there is no such order.
SELECT merchant_id, place_call FROM orders WHERE order_id = $1
