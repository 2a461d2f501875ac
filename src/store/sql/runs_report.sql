-- What the report of a run is made of; no row when there is no such run or it has not ended.
SELECT report FROM runs WHERE run_id = $1 AND report IS NOT NULL
