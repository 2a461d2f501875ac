-- Takes a key back, and says whether it stands in the configuration file; no row when there is no such live application.
UPDATE applications SET revoked_at = $2 WHERE application_id = $1 AND revoked_at IS NULL
RETURNING from_file
