-- Opens a case; no row when the application has one of that number.
INSERT INTO cases (application_id, case_no, business_type, accepted_at, promised_working_days, legal_working_days,
                   department, handler, applicant_masked, applicant_sealed, phone_sealed, phone_index, locale,
                   content_index, opened_at, state, light, deadline_on, look_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT (application_id, case_no) DO NOTHING
RETURNING case_no
