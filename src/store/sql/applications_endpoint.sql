-- Where an application is told of events, and what signs there; no row when it has no endpoint or said that it is gone.
SELECT webhook_url, webhook_secret, webhook_previous_secret, webhook_previous_until, webhook_key, from_file,
       webhook_disabled_at IS NOT NULL AS is_disabled,
       webhook_failing_since, webhook_success_at, webhook_failure_at, webhook_held_until
  FROM applications
 WHERE application_id = $1 AND webhook_url IS NOT NULL AND endpoint_gone_at IS NULL AND revoked_at IS NULL
