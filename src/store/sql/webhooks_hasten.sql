-- Lets all that waits for an application begin anew at once; no row when nothing waits.
UPDATE deliveries SET tries = 0, next_at = $2
 WHERE delivery_id IN (
       SELECT delivery_id FROM deliveries
        WHERE kind = 'webhook' AND receiver = $1 AND state = 'due'
          AND (leased_until IS NULL OR leased_until < clock_timestamp())
        ORDER BY delivery_id
          FOR UPDATE)
RETURNING delivery_id
