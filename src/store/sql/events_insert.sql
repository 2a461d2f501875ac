-- Writes events and the deliveries that carry them to endpoints, in the transaction of what they tell. For an endpoint
-- that said that it is gone they are dead letters at once, to be sent when it is back.
WITH given AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb)
             AS e (event_id text, application_id text, type text, subject_id text, ordering_key text, body text)
), written AS (
    INSERT INTO events (event_id, epoch, application_id, type, subject_id, occurred_at, body)
    SELECT event_id, (SELECT max(epoch) FROM feed_epochs), application_id, type, subject_id, $2, body FROM given ORDER BY event_id
)
INSERT INTO deliveries (kind, event_id, receiver, ordering_key, next_at, created_at, state, finished_at, last_outcome)
SELECT 'webhook', g.event_id, a.application_id, g.ordering_key, $2, $2,
       CASE WHEN a.endpoint_gone_at IS NULL THEN 'due' ELSE 'dead' END,
       CASE WHEN a.endpoint_gone_at IS NOT NULL THEN $2::timestamptz END,
       CASE WHEN a.endpoint_gone_at IS NOT NULL THEN 'endpoint_gone' END
  FROM given g JOIN applications a
    ON a.webhook_url IS NOT NULL AND a.revoked_at IS NULL
   AND (a.application_id = g.application_id OR (g.application_id IS NULL AND g.type = ANY (a.webhook_events)))
 ORDER BY g.event_id
RETURNING delivery_id
