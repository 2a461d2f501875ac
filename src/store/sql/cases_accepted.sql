-- When a case was accepted; no row when the application told of none.
SELECT accepted_at FROM cases WHERE application_id = $1 AND case_no = $2
