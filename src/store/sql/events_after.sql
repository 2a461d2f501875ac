-- Events of an application and of the office after a position, none of them younger than a transaction that is
-- still open; no row at the end.
SELECT event_id, position, body FROM events
 WHERE position > $2 AND (application_id = $1 OR application_id IS NULL)
   AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY position LIMIT $3
