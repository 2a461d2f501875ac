-- Stores the answer of a key; no row when the key is gone.
UPDATE idempotency_keys SET status = $3, answer = $4, leased_until = NULL WHERE application_id = $1 AND key = $2
RETURNING application_id
