-- One webhook of an application; no row when it is another's or there is none.
SELECT d.delivery_id, d.receiver, d.event_id, e.type, e.subject_id, d.state, d.attempts, d.last_outcome, d.next_at,
       d.created_at, d.finished_at
  FROM deliveries d JOIN events e USING (event_id)
 WHERE d.kind = 'webhook' AND d.receiver = $1 AND d.delivery_id = $2
