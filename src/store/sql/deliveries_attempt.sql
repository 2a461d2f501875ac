-- Keeps an attempt or a lookup as evidence; no row when the same one is kept already.
INSERT INTO delivery_attempts (delivery_id, attempt, begun_at, outcome, detail, vendor_ref)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
RETURNING delivery_id
