-- The next day after $2, within a week, whose fund flow the account's newest ended run has looked at; no row when there is none.
SELECT n.merchant_id, n.bill_date
  FROM (SELECT DISTINCT ON (bill_date) merchant_id, bill_date, report FROM runs
         WHERE merchant_id = ANY ($1) AND bill_date BETWEEN $2::date + 1 AND $2::date + 7 AND report IS NOT NULL
         ORDER BY bill_date, version DESC) n
 WHERE jsonb_typeof(n.report -> 'fund_flow') = 'object'
 ORDER BY n.bill_date LIMIT 1
