-- The differences of an account's merchants that are not over, of days before $2, as JSON, oldest first; no row when there is none.
SELECT document FROM difference_documents
 WHERE status IN ('open', 'assigned', 'proposed', 'approved') AND merchant_id = ANY ($1) AND first_day < $2
 ORDER BY first_day, difference_id
