-- What the account's fund flow came to on the last day before $2 whose newest ended run has it; no row when none has.
SELECT r.bill_date, r.report -> 'fund_flow' -> 'result' AS result FROM runs r
 WHERE r.merchant_id = ANY ($1) AND r.bill_date < $2 AND r.bill_date > $2 - 40 AND r.report -> 'fund_flow' IS NOT NULL
   AND r.report -> 'fund_flow' <> 'null'::jsonb
 ORDER BY r.bill_date DESC, r.version DESC LIMIT 1
