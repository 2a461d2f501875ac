-- Gives an endpoint its address and what goes with it, and a secret where it has none; no row when the file names it.
-- A new address begins without failures; one that was disabled stays so.
UPDATE applications
   SET webhook_events = COALESCE($3, webhook_events), concurrency = COALESCE($4, concurrency),
       webhook_secret = COALESCE(webhook_secret, $5), endpoint_gone_at = NULL,
       webhook_since = CASE WHEN webhook_url = $2 THEN webhook_since ELSE $6 END,
       webhook_failing_since = CASE WHEN webhook_url = $2 THEN webhook_failing_since END,
       webhook_failure_at = CASE WHEN webhook_url = $2 THEN webhook_failure_at END,
       webhook_failure = CASE WHEN webhook_url = $2 THEN webhook_failure END,
       webhook_held_until = CASE WHEN webhook_url = $2 THEN webhook_held_until END,
       webhook_success_at = CASE WHEN webhook_url = $2 THEN webhook_success_at END,
       webhook_url = $2
 WHERE application_id = $1 AND NOT from_file AND revoked_at IS NULL
RETURNING application_id
