-- Gives a key back whose work came to no lasting answer; no row when it is gone, answered, or another worker took it over.
DELETE FROM idempotency_keys WHERE application_id = $1 AND key = $2 AND lease = $3 AND status IS NULL RETURNING application_id
