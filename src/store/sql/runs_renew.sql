-- Keeps a run leased while it is worked on; no row when it has ended or another hub took it over.
UPDATE runs SET leased_until = clock_timestamp() + interval '10 minutes'
 WHERE run_id = $1 AND lease = $2 AND next_at IS NOT NULL
RETURNING run_id
