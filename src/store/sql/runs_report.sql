-- What the report of a run is made of, and its digest; no row when there is no such run or it has not ended.
SELECT report, encode(sha256(convert_to(report::text, 'UTF8')), 'hex') AS sha256
  FROM runs WHERE run_id = $1 AND report IS NOT NULL
