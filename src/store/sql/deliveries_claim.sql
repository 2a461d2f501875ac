-- Leases due deliveries: at most $2 in all; of one receiver's key only the oldest that is not finished; of a receiver as
-- many as it takes at once, or, of those of $3, up to $4. An endpoint that is disabled or asked to wait keeps its
-- deliveries, and none of them is read. No row when nothing is due.
WITH RECURSIVE receivers AS (
    (SELECT receiver FROM deliveries WHERE state IN ('due', 'sending', 'querying') ORDER BY receiver LIMIT 1)
    UNION ALL
    SELECT (SELECT d.receiver FROM deliveries d
             WHERE d.state IN ('due', 'sending', 'querying') AND d.receiver > r.receiver
             ORDER BY d.receiver LIMIT 1)
      FROM receivers r WHERE r.receiver IS NOT NULL
), free AS (
    SELECT r.receiver, COALESCE(a.concurrency, 4) AS at_once,
           greatest(COALESCE(k.places, a.concurrency, 4), 0) AS places,
           a.webhook_disabled_at IS NOT NULL OR COALESCE(a.webhook_held_until > $1, false) AS is_left_alone
      FROM receivers r
      LEFT JOIN unnest($3::text[], $4::integer[]) AS k (receiver, places) USING (receiver)
      LEFT JOIN applications a ON a.application_id = r.receiver
     WHERE r.receiver IS NOT NULL
), chosen AS (
    SELECT ready.place, free.at_once
      FROM free CROSS JOIN LATERAL (
           SELECT * FROM (
               SELECT d.ctid AS place, d.delivery_id, d.next_at FROM deliveries d
                WHERE NOT free.is_left_alone
                  AND d.receiver = free.receiver AND d.state IN ('due', 'sending', 'querying') AND d.next_at <= $1
                  AND (d.leased_until IS NULL OR d.leased_until < clock_timestamp())
                  AND NOT EXISTS (
                      -- Looked up for each by its key's own index, whatever the statistics say: no other fits.
                      SELECT FROM deliveries older
                       WHERE older.ordering_key = d.ordering_key AND older.receiver || '' = d.receiver
                         AND older.delivery_id + 0 < d.delivery_id AND older.state IN ('due', 'sending', 'querying')
                      OFFSET 0)
                ORDER BY d.next_at, d.delivery_id
                LIMIT free.places
                  FOR UPDATE OF d SKIP LOCKED) AS any_kind
           UNION ALL
           SELECT * FROM (
               -- The messages of a channel of that name, by an index of their own.
               SELECT d.ctid AS place, d.delivery_id, d.next_at FROM deliveries d
                WHERE free.is_left_alone AND d.kind = 'sms'
                  AND d.receiver || '' = free.receiver AND d.state IN ('due', 'sending', 'querying') AND d.next_at <= $1
                  AND (d.leased_until IS NULL OR d.leased_until < clock_timestamp())
                  AND NOT EXISTS (
                      SELECT FROM deliveries older
                       WHERE older.ordering_key = d.ordering_key AND older.receiver || '' = d.receiver
                         AND older.delivery_id + 0 < d.delivery_id AND older.state IN ('due', 'sending', 'querying')
                      OFFSET 0)
                ORDER BY d.next_at, d.delivery_id
                LIMIT free.places
                  FOR UPDATE OF d SKIP LOCKED) AS messages) AS ready
     ORDER BY ready.next_at, ready.delivery_id
     LIMIT $2
)
UPDATE deliveries d
   SET lease = d.lease + 1, leased_until = clock_timestamp() + interval '20 seconds'
  FROM chosen
 WHERE d.ctid = chosen.place
RETURNING d.delivery_id, d.kind, d.event_id, d.notification_id, d.receiver, d.state, d.attempts, d.tries, d.lookups,
          d.sent_at, d.lease, chosen.at_once, (SELECT e.body FROM events e WHERE e.event_id = d.event_id) AS body
