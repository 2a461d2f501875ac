-- Keeps a key leased while its work goes on; no row when it is answered, gone, or another worker took it over.
UPDATE idempotency_keys SET leased_until = clock_timestamp() + interval '60 seconds'
 WHERE application_id = $1 AND key = $2 AND lease = $3 AND status IS NULL
RETURNING application_id
