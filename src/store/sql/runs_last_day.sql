-- The newest day of a merchant that has a run; one row, NULL before the first.
SELECT max(bill_date) FROM runs WHERE merchant_id = $1
