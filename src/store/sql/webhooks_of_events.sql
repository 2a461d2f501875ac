-- The deliveries of these events to an application, the oldest first; no row when none was ever for it.
SELECT delivery_id FROM deliveries
 WHERE kind = 'webhook' AND receiver = $1 AND event_id = ANY ($2) ORDER BY delivery_id
