-- Ends the open doubts of older runs of an account's day, whose place the run $1 takes; no row when there is none.
UPDATE doubts d SET state = 'superseded', resolved_by_run = $1
  FROM runs r
 WHERE r.run_id = d.run_id AND d.state = 'open' AND r.merchant_id = ANY ($2) AND r.bill_date = $3 AND r.run_id <> $1
RETURNING d.doubt_id
