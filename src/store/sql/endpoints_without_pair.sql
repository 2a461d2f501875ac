-- The applications whose endpoint has no key pair yet; no row when each has one.
SELECT application_id FROM applications
 WHERE webhook_url IS NOT NULL AND webhook_key IS NULL AND revoked_at IS NULL
 ORDER BY application_id
