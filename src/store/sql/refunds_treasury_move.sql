-- Moves a refund that the treasury pays; no row when its state moved meanwhile.
UPDATE refunds SET state = $3, succeeded_at = $4, next_query_at = $5, queries = 0, leased_until = NULL
 WHERE refund_id = $1 AND state = $2 AND route = 'treasury'
RETURNING refund_id
