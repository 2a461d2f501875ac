-- The ids of runs, newest day and version first, after an offset; no row at the end.
SELECT run_id FROM runs
 WHERE ($1::text IS NULL OR merchant_id = $1) AND ($2::date IS NULL OR bill_date = $2)
 ORDER BY bill_date DESC, merchant_id, version DESC OFFSET $3 LIMIT $4
