-- Locks the runs of a day of an account's merchants, so that nobody begins or signs another beside; their sign-offs, no row
-- when the day has none.
SELECT sign_off FROM runs WHERE merchant_id = ANY ($1) AND bill_date = $2 ORDER BY run_id FOR UPDATE
