-- Begins a new version of a day's run, after all of the account's merchants; no row never, one row always.
INSERT INTO runs (run_id, merchant_id, bill_date, version, status, next_at, started_at)
SELECT $1, $2, $3, COALESCE(max(version), 0) + 1, 'waiting_for_bill', $4, $4
  FROM runs WHERE merchant_id = ANY ($5) AND bill_date = $3
RETURNING run_id
