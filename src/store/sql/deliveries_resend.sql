-- Lets dead letters of these events or numbers begin again; no row when none of them is dead.
UPDATE deliveries
   SET state = 'due', tries = 0, next_at = $3, finished_at = NULL, leased_until = NULL
 WHERE kind = 'webhook' AND state = 'dead' AND (event_id = ANY ($1) OR delivery_id = ANY ($2))
RETURNING delivery_id
