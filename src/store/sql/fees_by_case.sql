-- The ids of an application's fees for a case, after a cursor; no row at the end.
SELECT fee_id FROM fees
 WHERE application_id = $1 AND case_no = $2 AND fee_id > $3
 ORDER BY fee_id LIMIT $4
