-- Leases runs that wait for their bill and are due, oldest first and days in their order, each under a lease of its own; no row when none is.
UPDATE runs SET leased_until = clock_timestamp() + interval '10 minutes', lease = lease + 1
 WHERE run_id IN (
       SELECT run_id FROM runs
        WHERE next_at <= $1 AND (leased_until IS NULL OR leased_until < clock_timestamp())
        ORDER BY next_at, bill_date LIMIT $2
          FOR UPDATE SKIP LOCKED)
RETURNING run_id, lease
