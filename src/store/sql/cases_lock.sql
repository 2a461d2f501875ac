-- Locks a case; no row when the application has none of that number.
SELECT phone_sealed, content_index FROM cases WHERE application_id = $1 AND case_no = $2 FOR UPDATE
