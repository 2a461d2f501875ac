-- Takes a step of a difference that is as far as $2 says, which is then as far as $3; no row when it is elsewhere.
WITH moved AS (
    UPDATE differences
       SET status = $3, closed_at = CASE WHEN $2 = $3 THEN closed_at WHEN $3 IN ('resolved', 'written_off') THEN $14::timestamptz END, closed_run = NULL,
           assigned_to = CASE $4 WHEN 'assigned' THEN $6 WHEN 'reopened' THEN NULL ELSE assigned_to END
     WHERE difference_id = $1 AND status = $2 AND same_as IS NULL
    RETURNING difference_id
)
INSERT INTO difference_steps (difference_id, position, event, "by", owner, action, amount_fen, side, journal, refund_id, other_id,
                              run_id, reason, told_at)
SELECT difference_id, (SELECT COALESCE(max(position), 0) + 1 FROM difference_steps s WHERE s.difference_id = $1), $4, $5, $6, $7, $8,
       $9, $10, $11, $12, $15, $13, $14
  FROM moved
RETURNING position
