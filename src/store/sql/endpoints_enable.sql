-- Enables an endpoint that was disabled or gone, or asked to wait; no row when it has no address.
UPDATE applications
   SET webhook_disabled_at = NULL, webhook_disabled_by = NULL, endpoint_gone_at = NULL, webhook_failing_since = NULL,
       webhook_held_until = NULL
 WHERE application_id = $1 AND webhook_url IS NOT NULL
RETURNING application_id
