-- A bill by its number; no row when there is none.
SELECT merchant_id, bill_date, sha256, content, is_sealed FROM bill_files WHERE bill_file_id = $1
