-- Writes an application of the configuration file; always one row. A key that was taken back stays so until the file
-- names another one; an endpoint that was gone is tried anew; one that is disabled stays so, unless its address is new
-- and nobody disabled it by hand.
INSERT INTO applications AS known
       (application_id, key_hash, webhook_url, webhook_secret, webhook_previous_secret, webhook_events, concurrency,
        from_file, created_at, webhook_since)
VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8, CASE WHEN $3::text IS NOT NULL THEN $8::timestamptz END)
ON CONFLICT (application_id) DO UPDATE
   SET key_hash = excluded.key_hash, webhook_url = excluded.webhook_url,
       webhook_secret = excluded.webhook_secret, webhook_previous_secret = excluded.webhook_previous_secret,
       webhook_previous_until = NULL, webhook_events = excluded.webhook_events, concurrency = excluded.concurrency,
       from_file = true, endpoint_gone_at = NULL,
       webhook_since = CASE WHEN known.webhook_url = excluded.webhook_url THEN known.webhook_since ELSE excluded.webhook_since END,
       webhook_failing_since = CASE WHEN known.webhook_url = excluded.webhook_url THEN known.webhook_failing_since END,
       webhook_held_until = CASE WHEN known.webhook_url = excluded.webhook_url THEN known.webhook_held_until END,
       webhook_disabled_at = CASE WHEN known.webhook_url = excluded.webhook_url OR known.webhook_disabled_by = 'hand' THEN known.webhook_disabled_at END,
       webhook_disabled_by = CASE WHEN known.webhook_url = excluded.webhook_url OR known.webhook_disabled_by = 'hand' THEN known.webhook_disabled_by END,
       revoked_at = CASE WHEN known.key_hash = excluded.key_hash THEN known.revoked_at END
RETURNING known.application_id
