-- Locks an application's endpoint for the rest of the transaction; no row when there is no such live application.
SELECT webhook_url, from_file, webhook_secret IS NOT NULL AS has_secret
  FROM applications WHERE application_id = $1 AND revoked_at IS NULL
   FOR NO KEY UPDATE
