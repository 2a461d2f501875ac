-- A refused file by its number; no row when there is none.
SELECT merchant_id, bill_date, sha256, content, true AS is_sealed FROM damaged_bills WHERE damaged_bill_id = $1
