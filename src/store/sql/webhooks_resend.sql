-- Lets these deliveries of an application begin again at once, whatever came of them, also where its endpoint had said
-- that it is gone; what waits behind one of them follows. No row for one that is being sent in this moment.
WITH free AS (
    SELECT delivery_id FROM deliveries
     WHERE kind = 'webhook' AND receiver = $1 AND delivery_id = ANY ($2)
       AND (leased_until IS NULL OR leased_until < clock_timestamp())
     ORDER BY delivery_id
       FOR UPDATE
), again AS (
    UPDATE deliveries d
       SET state = 'due', tries = 0, next_at = $3, finished_at = NULL, lease = d.lease + 1, leased_until = NULL
      FROM free WHERE d.delivery_id = free.delivery_id
    RETURNING d.delivery_id, d.ordering_key
), behind AS (
    UPDATE deliveries d SET next_at = $3
     WHERE d.kind = 'webhook' AND d.receiver = $1 AND d.state = 'due' AND d.next_at > $3 AND d.leased_until IS NULL
       AND EXISTS (SELECT FROM again a WHERE a.ordering_key = d.ordering_key AND a.delivery_id < d.delivery_id)
       AND d.delivery_id NOT IN (SELECT delivery_id FROM free)
), back AS (
    UPDATE applications SET endpoint_gone_at = NULL
     WHERE application_id = $1 AND endpoint_gone_at IS NOT NULL AND EXISTS (SELECT FROM again)
)
SELECT delivery_id FROM again ORDER BY delivery_id
