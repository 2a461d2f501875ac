-- Gives an application its key pair, once; no row when it has one.
UPDATE applications SET webhook_key = $2, webhook_public_key = $3
 WHERE application_id = $1 AND webhook_key IS NULL
RETURNING application_id
