-- Closes differences that the run $1 does not have any more; no row for one that was closed before.
UPDATE differences SET status = 'cleared', closed_run = $1, closed_at = $3
 WHERE difference_id = ANY ($2) AND status = 'open' AND same_as IS NULL
RETURNING difference_id
