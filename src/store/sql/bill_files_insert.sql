-- Stores a sealed bill, once a content; always one row.
WITH stored AS (
    INSERT INTO bill_files (merchant_id, bill_date, sha256, content, fetched_at, is_sealed) VALUES ($1, $2, $3, $4, $5, true)
    ON CONFLICT ON CONSTRAINT a_bill_is_stored_once DO NOTHING
    RETURNING bill_file_id
)
SELECT bill_file_id FROM stored
UNION ALL
SELECT bill_file_id FROM bill_files WHERE merchant_id = $1 AND bill_date = $2 AND sha256 = $3
LIMIT 1
