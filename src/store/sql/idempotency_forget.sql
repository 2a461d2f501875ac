-- Forgets keys that are older than a moment; no row when there are none.
DELETE FROM idempotency_keys WHERE created_at < $1 RETURNING 1
