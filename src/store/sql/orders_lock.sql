-- Locks orders by id, in the order of their ids; no row for an id that is not there.
SELECT order_id FROM orders WHERE order_id = ANY ($1) ORDER BY order_id FOR UPDATE
