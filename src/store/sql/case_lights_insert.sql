-- Notes that a light is told; no row when it was told for that deadline already.
INSERT INTO case_lights (application_id, case_no, deadline_version, light, changed_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (application_id, case_no, deadline_version, light) DO NOTHING
RETURNING light
