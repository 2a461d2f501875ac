-- Leases due deliveries: at most $2, at most four a receiver at once (those of $3 and $4 are under way), and of one
-- receiver's key only the oldest that is not finished. No row when nothing is due.
WITH RECURSIVE receivers AS (
    (SELECT receiver FROM deliveries WHERE state IN ('due', 'sending', 'querying') ORDER BY receiver LIMIT 1)
    UNION ALL
    SELECT (SELECT d.receiver FROM deliveries d
             WHERE d.state IN ('due', 'sending', 'querying') AND d.receiver > r.receiver
             ORDER BY d.receiver LIMIT 1)
      FROM receivers r WHERE r.receiver IS NOT NULL
), free AS (
    SELECT r.receiver, 4 - COALESCE(b.busy, 0) AS places
      FROM receivers r LEFT JOIN unnest($3::text[], $4::integer[]) AS b (receiver, busy) USING (receiver)
     WHERE r.receiver IS NOT NULL
), chosen AS (
    SELECT ready.delivery_id
      FROM free CROSS JOIN LATERAL (
           SELECT d.delivery_id, d.next_at FROM deliveries d
            WHERE d.receiver = free.receiver AND d.state IN ('due', 'sending', 'querying') AND d.next_at <= $1
              AND (d.leased_until IS NULL OR d.leased_until < clock_timestamp())
              AND NOT EXISTS (
                  SELECT FROM deliveries older
                   WHERE older.receiver = d.receiver AND older.ordering_key = d.ordering_key
                     AND older.delivery_id < d.delivery_id AND older.state IN ('due', 'sending', 'querying'))
            ORDER BY d.next_at, d.delivery_id
            LIMIT greatest(free.places, 0)
              FOR UPDATE OF d SKIP LOCKED) AS ready
     ORDER BY ready.next_at, ready.delivery_id
     LIMIT $2
)
UPDATE deliveries d
   SET lease = d.lease + 1, leased_until = clock_timestamp() + interval '60 seconds'
  FROM chosen
 WHERE d.delivery_id = chosen.delivery_id
RETURNING d.delivery_id, d.kind, d.event_id, d.notification_id, d.receiver, d.state, d.attempts, d.tries, d.lookups,
          d.sent_at, d.lease, (SELECT e.body FROM events e WHERE e.event_id = d.event_id) AS body
