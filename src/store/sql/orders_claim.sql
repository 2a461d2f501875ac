-- Leases orders of a merchant whose query is due, as many as the second's queries ($4) still carry. Those that somebody
-- waits for go first (young, watched, unknown, being closed), then the longest due; any other waits a minute longer than
-- they do and no more. No row when nothing is due, or the queries are spent.
WITH wanted AS (
    SELECT count(*) AS n
      FROM (SELECT FROM orders
             WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
             LIMIT $3) AS due
), granted AS MATERIALIZED (
    SELECT take_queries($1, $2, $4, n) AS n FROM wanted WHERE n > 0
), due AS MATERIALIZED (
    SELECT order_id FROM orders
     WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
     ORDER BY next_query_at + CASE WHEN state IN ('created', 'unknown') OR closes > 0 OR watched_until > $2
                                     OR created_at > $2 - interval '320 seconds'
                                   THEN interval '0 seconds' ELSE interval '60 seconds' END, order_id
     LIMIT COALESCE((SELECT n FROM granted), 0)
       FOR UPDATE SKIP LOCKED
)
UPDATE orders SET leased_until = clock_timestamp() + interval '120 seconds'
 WHERE order_id IN (SELECT order_id FROM due)
RETURNING order_id
