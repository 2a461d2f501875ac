-- Remembers that an endpoint answered 410; no row when it was known, or the endpoint is disabled or has another address.
UPDATE applications SET endpoint_gone_at = $2
 WHERE application_id = $1 AND webhook_url = $3 AND endpoint_gone_at IS NULL AND webhook_disabled_at IS NULL
RETURNING application_id
