-- What is known of a key; no row when it was never used or has been forgotten.
SELECT call, body_hash, status, answer FROM idempotency_keys WHERE application_id = $1 AND key = $2
