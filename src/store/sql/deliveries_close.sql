-- Ends a message's delivery that nobody works on, because a receipt said how it ended, or lets it begin again at $3
-- over channel $5; no row when it is being sent.
UPDATE deliveries
   SET state = CASE WHEN $3::timestamptz IS NULL THEN 'done' ELSE 'due' END, next_at = COALESCE($3, next_at),
       last_outcome = $2, finished_at = CASE WHEN $3 IS NULL THEN $4::timestamptz END,
       tries = CASE WHEN receiver = $5 THEN tries ELSE 0 END, receiver = $5, lease = lease + 1, leased_until = NULL
 WHERE delivery_id = $1 AND state IN ('due', 'querying', 'done')
RETURNING delivery_id
