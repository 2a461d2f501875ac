-- Says why a run has not ended and when it is tried again, $5 whether its file was damaged; no row when it is done or
-- another hub took it over ($6 is the lease).
UPDATE runs SET status = $2, next_at = $3, tries = tries + 1, damaged = damaged + $5::boolean::integer, failure = $4,
                leased_until = NULL
 WHERE run_id = $1 AND next_at IS NOT NULL AND lease = $6
RETURNING tries
