-- The newest run of a day among an account's merchants; no row when there is none.
SELECT run_id FROM runs WHERE merchant_id = ANY ($1) AND bill_date = $2 ORDER BY version DESC, started_at DESC LIMIT 1
