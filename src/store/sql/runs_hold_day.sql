-- Locks the runs of a day of an account's merchants, in the order of their ids, so that nobody begins or signs another beside; no
-- row when the day has none.
SELECT run_id FROM runs WHERE merchant_id = ANY ($1) AND bill_date = $2 ORDER BY run_id FOR UPDATE
