-- The application that owns an API key; no row when no live key has that hash.
SELECT application_id FROM applications WHERE key_hash = $1 AND revoked_at IS NULL
