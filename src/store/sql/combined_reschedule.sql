-- Says when a combined order is asked for next, and what its payer needs where an answer brought that; no row when there
-- is no such order.
UPDATE combined_orders SET pay = COALESCE($2, pay), next_query_at = $3, queries = $4, leased_until = NULL
 WHERE combined_id = $1
RETURNING combined_id
