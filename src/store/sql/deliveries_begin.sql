-- Writes down that an attempt begins, before it is made; no row when the lease was lost.
UPDATE deliveries
   SET state = 'sending', attempts = attempts + 1, tries = tries + 1, lookups = 0, sent_at = $3
 WHERE delivery_id = $1 AND lease = $2 AND state = 'due'
RETURNING delivery_id
