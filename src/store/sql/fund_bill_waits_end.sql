-- A day waits no more for its fund flow bill; no row when it did not.
DELETE FROM fund_bill_waits WHERE merchant_id = ANY ($1) AND bill_date = $2
RETURNING bill_date
