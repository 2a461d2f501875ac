-- Says when an order is asked for next; no row when there is no such order.
UPDATE orders SET next_query_at = $2, queries = $3, leased_until = NULL WHERE order_id = $1 RETURNING order_id
