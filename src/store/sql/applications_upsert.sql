-- Writes an application of the configuration file; always one row.
INSERT INTO applications AS known (application_id, key_hash, webhook_url, webhook_secret, webhook_events, from_file, created_at)
VALUES ($1, $2, $3, $4, $5, true, $6)
ON CONFLICT (application_id) DO UPDATE
   SET key_hash = excluded.key_hash, webhook_url = excluded.webhook_url,
       webhook_secret = excluded.webhook_secret, webhook_events = excluded.webhook_events,
       from_file = true, revoked_at = NULL,
       endpoint_gone_at = CASE WHEN known.webhook_url IS DISTINCT FROM excluded.webhook_url THEN NULL ELSE known.endpoint_gone_at END
RETURNING known.application_id
