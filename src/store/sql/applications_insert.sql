-- Adds an application by hand; no row when the name is taken.
INSERT INTO applications (application_id, key_hash, webhook_url, webhook_secret, from_file, created_at, webhook_since)
VALUES ($1, $2, $3, $4, false, $5, CASE WHEN $3::text IS NOT NULL THEN $5::timestamptz END)
ON CONFLICT (application_id) DO NOTHING
RETURNING application_id
