-- Lets dead letters of these events or numbers begin again, also where the endpoint had said that it is gone; no row
-- when none of them is dead.
WITH again AS (
    UPDATE deliveries
       SET state = 'due', tries = 0, next_at = $3, finished_at = NULL, leased_until = NULL
     WHERE kind = 'webhook' AND state = 'dead' AND (event_id = ANY ($1) OR delivery_id = ANY ($2))
    RETURNING delivery_id, receiver
), back AS (
    UPDATE applications SET endpoint_gone_at = NULL
     WHERE endpoint_gone_at IS NOT NULL AND application_id IN (SELECT receiver FROM again)
)
SELECT delivery_id FROM again
