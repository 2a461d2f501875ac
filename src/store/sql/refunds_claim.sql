-- Leases refunds of a merchant whose query is due, as many as the second's queries ($4) still carry: those of which nobody
-- knows whether they were done go first, then the longest due; any other waits a minute longer and no more. No row when
-- nothing is due, or the queries are spent.
WITH wanted AS (
    SELECT count(*) AS n
      FROM (SELECT FROM refunds
             WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
             LIMIT $3) AS due
), granted AS MATERIALIZED (
    SELECT take_queries($1, $2, $4, n) AS n FROM wanted WHERE n > 0
), due AS MATERIALIZED (
    SELECT refund_id FROM refunds
     WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
     ORDER BY next_query_at + CASE WHEN state IN ('submitted', 'unknown')
                                   THEN interval '0 seconds' ELSE interval '60 seconds' END, refund_id
     LIMIT COALESCE((SELECT n FROM granted), 0)
       FOR UPDATE SKIP LOCKED
)
UPDATE refunds SET leased_until = clock_timestamp() + interval '60 seconds'
 WHERE refund_id IN (SELECT refund_id FROM due)
RETURNING refund_id
