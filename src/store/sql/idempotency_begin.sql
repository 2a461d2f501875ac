-- Takes a key for the first time, or takes it over when its worker's lease ran out unanswered; no row when it is
-- answered or being worked on.
INSERT INTO idempotency_keys AS known (application_id, key, call, body_hash, created_at, leased_until)
VALUES ($1, $2, $3, $4, $5, clock_timestamp() + interval '60 seconds')
ON CONFLICT (application_id, key) DO UPDATE
   SET leased_until = clock_timestamp() + interval '60 seconds', lease = excluded.lease
 WHERE known.status IS NULL AND (known.leased_until IS NULL OR known.leased_until < clock_timestamp())
   AND known.call = excluded.call AND known.body_hash = excluded.body_hash
RETURNING lease
