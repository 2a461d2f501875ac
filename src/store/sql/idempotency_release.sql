-- Gives a key back whose work failed on our side; no row when it is gone or answered.
DELETE FROM idempotency_keys WHERE application_id = $1 AND key = $2 AND status IS NULL RETURNING application_id
