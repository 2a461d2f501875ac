-- Leases refunds of a merchant whose query is due, as many as the second's queries ($4, of which theirs are $5) still carry:
-- those of which nobody knows whether they were done go first, then the longest due; any other waits a minute longer and no
-- more. No row when nothing is due, or the queries are spent.
WITH room AS MATERIALIZED (
    SELECT least($3, queries_left($1, $2, $4, $5, true)) AS n
), due AS MATERIALIZED (
    SELECT refund_id, next_query_at + CASE WHEN state IN ('submitted', 'unknown')
                                       THEN interval '0 seconds' ELSE interval '60 seconds' END AS turn
      FROM refunds
     WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
     ORDER BY turn, refund_id
     LIMIT (SELECT n FROM room)
       FOR UPDATE SKIP LOCKED
), granted AS MATERIALIZED (
    SELECT take_queries($1, $2, $4, $5, true, (SELECT count(*) FROM due)) AS n WHERE EXISTS (SELECT FROM due)
), chosen AS (
    SELECT refund_id FROM due ORDER BY turn, refund_id LIMIT COALESCE((SELECT n FROM granted), 0)
)
UPDATE refunds SET leased_until = clock_timestamp() + interval '25 seconds'
 WHERE refund_id IN (SELECT refund_id FROM chosen)
RETURNING refund_id
