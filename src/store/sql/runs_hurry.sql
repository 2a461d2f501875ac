-- Makes a run that waits due at once, and lets it fetch its bill anew where that is asked ($3); no row when it has ended.
UPDATE runs SET next_at = least(next_at, $2), refetch = refetch OR $3
 WHERE run_id = $1 AND next_at IS NOT NULL
RETURNING run_id
