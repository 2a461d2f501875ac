-- Moves a message on from the state in which it was locked; no row when it is not in that state.
UPDATE notifications
   SET state = $3, channel = $4, vendor_ref = $5, failure = $6,
       sent_at = COALESCE(sent_at, $7), delivered_at = COALESCE(delivered_at, $8)
 WHERE notification_id = $1 AND state = $2
RETURNING notification_id
