-- Disables an endpoint: what is for it waits. No row when the hub would disable one that is disabled already. An
-- endpoint that said that it is gone is from now on disabled instead, so that new events wait too.
UPDATE applications
   SET webhook_disabled_at = COALESCE(webhook_disabled_at, $2), webhook_disabled_by = $3, endpoint_gone_at = NULL
 WHERE application_id = $1 AND webhook_url IS NOT NULL AND (webhook_disabled_at IS NULL OR $3 = 'hand')
RETURNING application_id
