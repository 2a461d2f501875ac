-- Keeps a refused file (sealed), once a content; no row when it is there.
INSERT INTO damaged_bills (merchant_id, bill_date, sha256, content, why, fetched_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT a_damaged_bill_is_kept_once DO NOTHING
RETURNING damaged_bill_id
