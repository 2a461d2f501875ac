-- Somebody has the page of a combined order open until $3: it is asked for now ($2) where its next query is later than $4.
-- No row when it was written a moment ago, is written right now, or is asked for no more.
UPDATE combined_orders SET watched_until = $3, next_query_at = CASE WHEN next_query_at > $4 THEN $2 ELSE next_query_at END
 WHERE combined_id IN (
       SELECT combined_id FROM combined_orders
        WHERE combined_id = $1 AND next_query_at IS NOT NULL AND (watched_until IS NULL OR watched_until < $5)
          FOR UPDATE SKIP LOCKED)
RETURNING combined_id
