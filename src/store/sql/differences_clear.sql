-- Ends locked differences that the run $1 does not have any more, as $4 says; no row for one that was over before.
WITH moved AS (
    UPDATE differences SET status = $4, closed_run = $1, closed_at = $3
     WHERE difference_id = ANY ($2) AND status IN ('open', 'assigned', 'proposed', 'approved') AND same_as IS NULL
    RETURNING difference_id
)
INSERT INTO difference_steps (difference_id, position, event, "by", run_id, told_at)
SELECT difference_id, (SELECT COALESCE(max(position), 0) + 1 FROM difference_steps s WHERE s.difference_id = m.difference_id), $4, $1,
       $1, $3
  FROM moved m
RETURNING difference_id
