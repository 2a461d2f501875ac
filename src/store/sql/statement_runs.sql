-- The newest run of each day of an account from $2 until $3 that has ended; no row for a day without one.
SELECT DISTINCT ON (bill_date) bill_date, run_id FROM runs
 WHERE merchant_id = ANY ($1) AND bill_date >= $2 AND bill_date < $3 AND report IS NOT NULL
 ORDER BY bill_date, version DESC
