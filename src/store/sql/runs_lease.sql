-- Leases one run; no row when another hub works on it or it is done.
UPDATE runs SET leased_until = clock_timestamp() + interval '10 minutes', lease = lease + 1
 WHERE run_id = $1 AND next_at IS NOT NULL AND (leased_until IS NULL OR leased_until < clock_timestamp())
RETURNING lease
