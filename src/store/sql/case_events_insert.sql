-- Appends an event to a locked case; always one row.
INSERT INTO case_events (application_id, case_no, seq, event, occurred_at, reason, due_on, place, tel, told_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING seq
