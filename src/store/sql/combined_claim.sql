-- Leases combined orders of a merchant whose query is due, as many as the second's queries ($4) still carry, in the order
-- in which single ones are; no row when nothing is due, or the queries are spent.
WITH wanted AS (
    SELECT count(*) AS n
      FROM (SELECT FROM combined_orders
             WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
             LIMIT $3) AS due
), granted AS MATERIALIZED (
    SELECT take_queries($1, $2, $4, n) AS n FROM wanted WHERE n > 0
), due AS MATERIALIZED (
    SELECT combined_id FROM combined_orders
     WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
     ORDER BY next_query_at + CASE WHEN placed_at IS NULL OR closes > 0 OR watched_until > $2
                                     OR created_at > $2 - interval '320 seconds'
                                   THEN interval '0 seconds' ELSE interval '60 seconds' END, combined_id
     LIMIT COALESCE((SELECT n FROM granted), 0)
       FOR UPDATE SKIP LOCKED
)
UPDATE combined_orders SET leased_until = clock_timestamp() + interval '120 seconds'
 WHERE combined_id IN (SELECT combined_id FROM due)
RETURNING combined_id
