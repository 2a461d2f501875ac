-- A fund flow bill by its number; no row when there is none.
SELECT merchant_id, bill_date, sha256, content, true AS is_sealed FROM fund_bill_files WHERE fund_bill_file_id = $1
