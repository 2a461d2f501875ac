-- Writes what events and day have made of a locked case; always one row.
UPDATE cases SET state = $3, light = $4, deadline_on = $5, deadline_version = $6, look_at = $7
 WHERE application_id = $1 AND case_no = $2
RETURNING case_no
