-- Locks the delivery of a message, after the message itself; no row when it has none.
SELECT delivery_id, state, attempts, tries,
       ARRAY(SELECT a.vendor_ref FROM delivery_attempts a
              WHERE a.delivery_id = d.delivery_id AND a.vendor_ref IS NOT NULL) AS vendor_refs
  FROM deliveries d WHERE notification_id = $1
   FOR UPDATE
