-- Events of an application and of the office after a place in the feed, none of them younger than a transaction that is
-- still open; no row at the end. The transaction's number comes first in that place: a position is taken before its
-- transaction ends, so that a lower one may show later. Numbers of an earlier epoch are another cluster's: all of its
-- transactions ended there.
SELECT event_id, body FROM events
 WHERE (epoch, transaction_id, position) > ($2, $3::text::xid8, $4) AND (application_id = $1 OR application_id IS NULL)
   AND (epoch < (SELECT max(epoch) FROM feed_epochs) OR transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
 ORDER BY epoch, transaction_id, position LIMIT $5
