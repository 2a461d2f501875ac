-- Begins a new version of a day's run, after all of the account's merchants; no row while one is not ended, nor once one
-- is signed.
INSERT INTO runs (run_id, merchant_id, bill_date, version, status, next_at, started_at, refetch)
SELECT $1, $2, $3, COALESCE(max(version), 0) + 1, 'waiting_for_bill', $4, $4, $6
  FROM runs WHERE merchant_id = ANY ($5) AND bill_date = $3
HAVING count(*) FILTER (WHERE next_at IS NOT NULL OR sign_off = 'reviewed') = 0
RETURNING run_id
