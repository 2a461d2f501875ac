-- How the outbox stands for each receiver, applications and the channels of $2: what waits and how often that was tried,
-- since when something is due, how much is dead. No more than $3 rows of each are looked at. No row without a receiver.
SELECT known.receiver, waiting.deliveries AS waiting, waiting.attempts, waiting.due_since, dead.deliveries AS dead
  FROM (SELECT application_id AS receiver FROM applications WHERE revoked_at IS NULL
         UNION SELECT unnest($2::text[])) AS known
 CROSS JOIN LATERAL (
       SELECT count(*) AS deliveries, COALESCE(sum(w.attempts), 0)::bigint AS attempts,
              min(w.next_at) FILTER (WHERE w.next_at <= $1) AS due_since
         FROM (SELECT d.attempts, d.next_at FROM deliveries d
                WHERE d.receiver = known.receiver AND d.state IN ('due', 'sending', 'querying')
                ORDER BY d.next_at, d.delivery_id LIMIT $3) AS w) AS waiting
 CROSS JOIN LATERAL (
       SELECT count(*) AS deliveries
         FROM (SELECT FROM deliveries d WHERE d.receiver = known.receiver AND d.state = 'dead' LIMIT $3) AS x) AS dead
 ORDER BY known.receiver
