-- An application's webhooks before number $4, the newest first: of one state where $2 names it, of one event type where
-- $3 names it; no row behind the oldest.
SELECT d.delivery_id, d.receiver, d.event_id, e.type, e.subject_id, d.state, d.attempts, d.last_outcome, d.next_at,
       d.created_at, d.finished_at
  FROM deliveries d JOIN events e USING (event_id)
 WHERE d.kind = 'webhook' AND d.receiver = $1 AND ($2::text IS NULL OR d.state = $2)
   AND ($3::text IS NULL OR e.type = $3) AND d.delivery_id < $4
 ORDER BY d.delivery_id DESC LIMIT $5
