-- The newest run of an account's day before a version that was signed and opened again; no row when there is none.
SELECT run_id FROM runs
 WHERE merchant_id = ANY ($1) AND bill_date = $2 AND version < $3 AND sign_off = 'reopened'
 ORDER BY version DESC LIMIT 1
