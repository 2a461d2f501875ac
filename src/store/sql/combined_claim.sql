-- Leases combined orders of a merchant whose query is due, as many as the second's queries ($4, of which theirs are $5) still
-- carry, in the order in which single ones are; no row when nothing is due, or the queries are spent.
WITH room AS MATERIALIZED (
    SELECT least($3, queries_left($1, $2, $4, $5, false)) AS n
), due AS MATERIALIZED (
    SELECT combined_id, next_query_at + CASE WHEN placed_at IS NULL OR closes > 0 OR watched_until > $2
                                         OR created_at > $2 - interval '320 seconds'
                                       THEN interval '0 seconds' ELSE interval '60 seconds' END AS turn
      FROM combined_orders
     WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
     ORDER BY turn, combined_id
     LIMIT (SELECT n FROM room)
       FOR UPDATE SKIP LOCKED
), granted AS MATERIALIZED (
    SELECT take_queries($1, $2, $4, $5, false, (SELECT count(*) FROM due)) AS n WHERE EXISTS (SELECT FROM due)
), chosen AS (
    SELECT combined_id FROM due ORDER BY turn, combined_id LIMIT COALESCE((SELECT n FROM granted), 0)
)
UPDATE combined_orders SET leased_until = clock_timestamp() + interval '25 seconds'
 WHERE combined_id IN (SELECT combined_id FROM chosen)
RETURNING combined_id
