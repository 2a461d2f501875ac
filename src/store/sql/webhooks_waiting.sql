-- Webhooks that wait, before number $3, the newest first: of one application and one event type where they are named;
-- no row behind the oldest.
SELECT d.delivery_id, d.receiver, d.event_id, e.type, e.subject_id, d.state, d.attempts, d.last_outcome, d.next_at,
       d.created_at, d.finished_at
  FROM deliveries d JOIN events e USING (event_id)
 WHERE d.kind = 'webhook' AND d.state IN ('due', 'sending', 'querying') AND ($1::text IS NULL OR d.receiver = $1)
   AND ($2::text IS NULL OR e.type = $2) AND d.delivery_id < $3
 ORDER BY d.delivery_id DESC LIMIT $4
