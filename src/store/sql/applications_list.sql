-- Every application; none before the first is configured.
SELECT application_id, webhook_url, from_file, created_at, revoked_at FROM applications ORDER BY application_id
