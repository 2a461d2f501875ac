-- Writes what came of many claimed deliveries, each with its attempt, and gives their leases back; only those whose
-- lease still held come back, and of the others nothing is written. What waits behind one that comes again later is not
-- due before it, so that no claim looks at it until then.
WITH given AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::integer[], $6::integer[], $7::integer[],
                         $8::timestamptz[], $9::text[], $10::timestamptz[], $11::integer[], $12::timestamptz[],
                         $13::text[], $14::text[], $15::integer[], $16::integer[])
             AS g (delivery_id, lease, state, receiver, attempts, tries, lookups, next_at, outcome, finished_at,
                   number, begun_at, detail, vendor_ref, status, took_ms)
), written AS (
    UPDATE deliveries d
       SET state = g.state, receiver = g.receiver, attempts = g.attempts, tries = g.tries, lookups = g.lookups,
           next_at = g.next_at, last_outcome = g.outcome, finished_at = g.finished_at, leased_until = NULL
      FROM given g
     WHERE d.delivery_id = g.delivery_id AND d.lease = g.lease AND d.leased_until IS NOT NULL
    RETURNING d.delivery_id, d.receiver, d.ordering_key, d.state, d.next_at,
              g.number, g.begun_at, g.outcome, g.detail, g.vendor_ref, g.status, g.took_ms
), behind AS (
    -- By the key's own index, as the claim looks.
    UPDATE deliveries d SET next_at = w.next_at
      FROM written w
     WHERE w.state = 'due' AND d.ordering_key = w.ordering_key AND d.receiver || '' = w.receiver
       AND d.delivery_id + 0 > w.delivery_id AND d.state = 'due' AND d.leased_until IS NULL
       AND d.next_at + interval '0' < w.next_at
), kept AS (
    INSERT INTO delivery_attempts (delivery_id, attempt, begun_at, outcome, detail, vendor_ref, status, took_ms)
    SELECT delivery_id, number, begun_at, outcome, detail, vendor_ref, status, took_ms
      FROM written WHERE number IS NOT NULL
)
SELECT delivery_id FROM written
