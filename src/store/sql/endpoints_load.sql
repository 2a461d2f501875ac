-- An application's endpoint with what waits for it; no row when there is no such live application.
SELECT webhook_url, webhook_events, from_file, concurrency, webhook_since, endpoint_gone_at, webhook_disabled_at,
       webhook_disabled_by, webhook_secret IS NOT NULL AS has_secret,
       webhook_previous_secret IS NOT NULL AND (webhook_previous_until IS NULL OR webhook_previous_until > $2) AS has_previous,
       webhook_previous_until, webhook_public_key, webhook_failing_since, webhook_success_at, webhook_failure_at, webhook_failure,
       CASE WHEN webhook_held_until > $2 THEN webhook_held_until END AS held_until,
       (SELECT count(*) FROM deliveries d
         WHERE d.receiver = application_id AND d.kind = 'webhook' AND d.state IN ('due', 'sending', 'querying')) AS waiting,
       (SELECT count(*) FROM deliveries d
         WHERE d.receiver = application_id AND d.kind = 'webhook' AND d.state = 'dead') AS dead
  FROM applications WHERE application_id = $1 AND revoked_at IS NULL
