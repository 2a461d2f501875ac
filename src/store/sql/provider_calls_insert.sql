-- Keeps what was said to a provider and what came back; always one row.
INSERT INTO provider_calls (begun_at, merchant_id, operation, subject_id, status, outcome, detail, sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING call_id
