-- Says when a combined order is asked for next; no row when there is no such order.
UPDATE combined_orders SET next_query_at = $2, queries = $3, leased_until = NULL WHERE combined_id = $1
RETURNING combined_id
