-- Keeps a channel's waiting messages (of one template, or all) back until a moment; no row when none waits.
UPDATE deliveries SET next_at = $3
 WHERE delivery_id IN (
       SELECT d.delivery_id FROM deliveries d JOIN notifications n USING (notification_id)
        WHERE d.receiver = $1 AND d.kind = 'sms' AND d.state = 'due' AND d.next_at < $3
          AND (d.leased_until IS NULL OR d.leased_until < clock_timestamp())
          AND ($2::text IS NULL OR n.template = $2)
          FOR UPDATE OF d SKIP LOCKED)
RETURNING delivery_id
