-- Adds an application by hand; no row when the name is taken.
INSERT INTO applications (application_id, key_hash, webhook_url, webhook_secret, from_file, created_at)
VALUES ($1, $2, $3, $4, false, $5)
ON CONFLICT (application_id) DO NOTHING
RETURNING application_id
