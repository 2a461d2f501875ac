-- An application's remittances before a cursor, newest first; no row at the end.
SELECT remittance_id FROM remittances
 WHERE application_id = $1 AND ($2::text IS NULL OR remittance_id < $2)
 ORDER BY remittance_id DESC LIMIT $3
