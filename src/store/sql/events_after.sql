-- Events of an application and of the office after a place in the feed, none of them younger than a transaction that is
-- still open; no row at the end. The transaction's number comes first in that place: a position is taken before its
-- transaction ends, so that a lower one may show later.
SELECT event_id, body FROM events
 WHERE (transaction_id, position) > ($2::text::xid8, $3) AND (application_id = $1 OR application_id IS NULL)
   AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY transaction_id, position LIMIT $4
