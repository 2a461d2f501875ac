-- Differences in some states as JSON, in the order in which they were opened: of one owner ($2), of merchants ($3), of days before
-- $4, behind an id ($5), where these are given; no row at the end.
SELECT document FROM difference_documents
 WHERE status = ANY ($1) AND ($2::text IS NULL OR assigned_to = $2) AND ($3::text[] IS NULL OR merchant_id = ANY ($3))
   AND ($4::date IS NULL OR first_day < $4) AND difference_id > $5
 ORDER BY difference_id LIMIT $6
