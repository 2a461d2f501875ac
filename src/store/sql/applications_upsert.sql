-- Writes an application of the configuration file; always one row. A key that was taken back stays so until the file
-- names another one; an endpoint that was gone is tried anew.
INSERT INTO applications AS known (application_id, key_hash, webhook_url, webhook_secret, webhook_events, from_file, created_at)
VALUES ($1, $2, $3, $4, $5, true, $6)
ON CONFLICT (application_id) DO UPDATE
   SET key_hash = excluded.key_hash, webhook_url = excluded.webhook_url,
       webhook_secret = excluded.webhook_secret, webhook_events = excluded.webhook_events,
       from_file = true, endpoint_gone_at = NULL,
       revoked_at = CASE WHEN known.key_hash = excluded.key_hash THEN known.revoked_at END
RETURNING known.application_id
