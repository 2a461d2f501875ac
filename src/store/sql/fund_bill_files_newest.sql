-- The fund flow bill of an account's day that was stored last; no row when there is none.
SELECT merchant_id, bill_date, sha256, content, true AS is_sealed FROM fund_bill_files
 WHERE merchant_id = ANY ($1) AND bill_date = $2
 ORDER BY fetched_at DESC, fund_bill_file_id DESC LIMIT 1
