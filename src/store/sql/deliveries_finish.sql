-- Writes what came of a claimed delivery and gives its lease back; no row when the lease was lost.
UPDATE deliveries
   SET state = $3, receiver = $4, attempts = $5, tries = $6, lookups = $7, next_at = $8, last_outcome = $9,
       finished_at = $10, leased_until = NULL
 WHERE delivery_id = $1 AND lease = $2 AND leased_until IS NOT NULL
RETURNING delivery_id
