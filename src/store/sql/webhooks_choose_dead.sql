-- An application's dead letters behind number $2, the oldest first; no row when none is left.
SELECT delivery_id FROM deliveries
 WHERE kind = 'webhook' AND state = 'dead' AND receiver = $1 AND delivery_id > $2
 ORDER BY delivery_id LIMIT $3
