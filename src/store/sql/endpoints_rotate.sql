-- Gives an endpoint a new secret; the one before signs beside it until $3. No row when the file names the endpoint.
UPDATE applications
   SET webhook_previous_secret = webhook_secret, webhook_previous_until = $3, webhook_secret = $2
 WHERE application_id = $1 AND NOT from_file AND webhook_url IS NOT NULL AND revoked_at IS NULL
RETURNING application_id
