-- Leases orders of a merchant whose query is due, as many as the second's queries ($4, of which theirs are $5) still carry;
-- a query is taken for each that is leased. Those that somebody waits for go first (young, watched, unknown, being closed),
-- then the longest due; any other waits a minute longer than they do and no more. No row when nothing is due, or the
-- queries are spent.
WITH room AS MATERIALIZED (
    SELECT least($3, queries_left($1, $2, $4, $5, false)) AS n
), due AS MATERIALIZED (
    SELECT order_id, next_query_at + CASE WHEN state IN ('created', 'unknown') OR closes > 0 OR watched_until > $2
                                         OR created_at > $2 - interval '320 seconds'
                                       THEN interval '0 seconds' ELSE interval '60 seconds' END AS turn
      FROM orders
     WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
     ORDER BY turn, order_id
     LIMIT (SELECT n FROM room)
       FOR UPDATE SKIP LOCKED
), granted AS MATERIALIZED (
    SELECT take_queries($1, $2, $4, $5, false, (SELECT count(*) FROM due)) AS n WHERE EXISTS (SELECT FROM due)
), chosen AS (
    SELECT order_id FROM due ORDER BY turn, order_id LIMIT COALESCE((SELECT n FROM granted), 0)
)
UPDATE orders SET leased_until = clock_timestamp() + interval '25 seconds'
 WHERE order_id IN (SELECT order_id FROM chosen)
RETURNING order_id
