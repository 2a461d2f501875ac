-- The deliveries of an application's events from $3 to before $4, of the types $5 where they are named, behind number
-- $2, the oldest first; no row when none is left.
SELECT d.delivery_id FROM deliveries d JOIN events e USING (event_id)
 WHERE d.kind = 'webhook' AND d.receiver = $1 AND d.delivery_id > $2 AND d.created_at >= $3 AND d.created_at < $4
   AND ($5::text[] IS NULL OR e.type = ANY ($5))
 ORDER BY d.delivery_id LIMIT $6
