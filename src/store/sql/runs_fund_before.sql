-- The last day before $2, a week back at most, whose fund flow the account's newest ended run has looked at, and what it came
-- to; no row when there is none.
SELECT n.bill_date, n.report -> 'fund_flow' -> 'result' AS result
  FROM (SELECT DISTINCT ON (bill_date) bill_date, report FROM runs
         WHERE merchant_id = ANY ($1) AND bill_date BETWEEN $2::date - 7 AND $2::date - 1 AND report IS NOT NULL
         ORDER BY bill_date DESC, version DESC) n
 WHERE jsonb_typeof(n.report -> 'fund_flow') = 'object'
 ORDER BY n.bill_date DESC LIMIT 1
