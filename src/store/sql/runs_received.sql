-- The days of an account from $2 on that have a run, and whether the bill of each was received; no row when none has.
SELECT bill_date, bool_or(status IN ('balanced', 'unbalanced')) AS received
  FROM runs WHERE merchant_id = ANY ($1) AND bill_date >= $2
 GROUP BY bill_date
