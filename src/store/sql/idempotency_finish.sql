-- Stores the answer of a key; no row when it is answered, gone, or another worker took it over.
UPDATE idempotency_keys SET status = $4, answer = $5, leased_until = NULL
 WHERE application_id = $1 AND key = $2 AND lease = $3 AND status IS NULL
RETURNING application_id
