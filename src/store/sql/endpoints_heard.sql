-- Remembers how an endpoint answered at $2: well where $3 is null, else how it failed, and until when it wants to hear
-- nothing; of two such wishes the longer one counts. No row when it is unknown, or
-- has another address than $5 by now.
UPDATE applications
   SET webhook_success_at = CASE WHEN $3::text IS NULL THEN $2 ELSE webhook_success_at END,
       webhook_failing_since = CASE WHEN $3 IS NOT NULL THEN COALESCE(webhook_failing_since, $2) END,
       webhook_failure_at = CASE WHEN $3 IS NOT NULL THEN $2 ELSE webhook_failure_at END,
       webhook_failure = COALESCE($3, webhook_failure),
       webhook_held_until = greatest(webhook_held_until, $4)
 WHERE application_id = $1 AND webhook_url = $5
RETURNING webhook_failing_since
