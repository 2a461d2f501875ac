-- Stores a sealed fund flow bill, once a content; no row when it is there.
INSERT INTO fund_bill_files (merchant_id, bill_date, sha256, content, fetched_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT ON CONSTRAINT a_fund_flow_bill_is_stored_once DO NOTHING
RETURNING fund_bill_file_id
