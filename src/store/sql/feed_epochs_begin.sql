-- Begins a new epoch of the feed where its newest event has a transaction number that this cluster has not given yet:
-- it was written in another one. No row when the numbers go on.
INSERT INTO feed_epochs (epoch, begun_at)
SELECT last.epoch + 1, $1
  FROM (SELECT epoch, transaction_id FROM events ORDER BY epoch DESC, transaction_id DESC, position DESC LIMIT 1) AS last
 WHERE last.epoch = (SELECT max(epoch) FROM feed_epochs)
   AND last.transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
ON CONFLICT (epoch) DO NOTHING
RETURNING epoch
