-- Where an application is told of events; no row when it has no endpoint or said that it is gone.
SELECT webhook_url, webhook_secret, from_file FROM applications
 WHERE application_id = $1 AND webhook_url IS NOT NULL AND endpoint_gone_at IS NULL AND revoked_at IS NULL
