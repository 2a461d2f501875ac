-- Closes an incident; no row when it is closed already or was never opened.
UPDATE incidents SET closed_at = $2, closed_by = $3, note = $4 WHERE incident_id = $1 AND closed_at IS NULL RETURNING incident_id
