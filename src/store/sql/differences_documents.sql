-- Differences as JSON with their steps, by the ids of any of their rows, in the order of their ids; no row for an unknown one.
SELECT document FROM difference_documents
 WHERE difference_id IN (SELECT COALESCE(same_as, difference_id) FROM differences WHERE difference_id = ANY ($1))
 ORDER BY difference_id
