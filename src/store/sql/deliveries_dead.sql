-- The newest dead letters, for people; no row when there are none.
SELECT delivery_id, kind, event_id, notification_id, receiver, attempts, last_outcome, created_at, finished_at
  FROM deliveries WHERE state = 'dead' ORDER BY delivery_id DESC LIMIT $1
