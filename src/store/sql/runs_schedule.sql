-- Begins the first run of a day; no row when the day has one.
INSERT INTO runs (run_id, merchant_id, bill_date, version, status, next_at, started_at)
SELECT $1, $2, $3, 1, 'waiting_for_bill', $4, $4
 WHERE NOT EXISTS (SELECT FROM runs WHERE merchant_id = $2 AND bill_date = $3)
ON CONFLICT DO NOTHING
RETURNING run_id
