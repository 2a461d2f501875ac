-- What the account's fund flow of day $2 came to by its newest ended run before version $3; no row when that has none.
SELECT n.report -> 'fund_flow' -> 'result' AS result
  FROM (SELECT report FROM runs WHERE merchant_id = ANY ($1) AND bill_date = $2 AND version < $3 AND report IS NOT NULL
         ORDER BY version DESC LIMIT 1) n
 WHERE jsonb_typeof(n.report -> 'fund_flow') = 'object'
