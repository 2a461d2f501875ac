-- Somebody has the order's page open until $3: it is asked for now ($2) where its next query is later than $4. Written when
-- less than up to $5 is left; no row when it was written a moment ago, is written right now, or is asked for no more.
UPDATE orders SET watched_until = $3, next_query_at = CASE WHEN next_query_at > $4 THEN $2 ELSE next_query_at END
 WHERE order_id IN (
       SELECT order_id FROM orders
        WHERE order_id = $1 AND next_query_at IS NOT NULL AND (watched_until IS NULL OR watched_until < $5)
          FOR UPDATE SKIP LOCKED)
RETURNING order_id
