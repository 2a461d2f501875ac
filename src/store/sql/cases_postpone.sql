-- Looks at a locked case again later; always one row.
UPDATE cases SET look_at = $3 WHERE application_id = $1 AND case_no = $2 RETURNING case_no
