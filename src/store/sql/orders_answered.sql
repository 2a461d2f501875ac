-- Writes what the provider said to placing or closing an order, which is asked for next at $11, or at $14 where it is still
-- live and somebody has opened its page meanwhile ($13: now), and frees the fees of one that can no longer be paid ($15); no
-- row when its state moved meanwhile.
WITH answered AS (
    UPDATE orders
       SET state = $3, pay = COALESCE($4, pay), placed_at = COALESCE($5, placed_at), refused_reason = $6,
           refused_code = $7, refused_message = $8, closed_at = $9, superseded_at = $10, queries = $12, leased_until = NULL,
           next_query_at = CASE WHEN $11::timestamptz IS NOT NULL AND $3 IN ('created', 'pending', 'unknown') AND watched_until > $13
                                THEN LEAST($11, $14) ELSE $11 END,
           closing_at = CASE WHEN $3 IN ('created', 'pending', 'unknown') THEN closing_at END,
           close_wanted_at = CASE WHEN $3 IN ('created', 'pending', 'unknown') THEN close_wanted_at END,
           closes = CASE WHEN $3 IN ('created', 'pending', 'unknown') THEN closes ELSE 0 END
     WHERE order_id = $1 AND state = $2
    RETURNING order_id
), freed AS (
    DELETE FROM live_orders WHERE $15 AND order_id IN (SELECT order_id FROM answered)
)
SELECT order_id FROM answered
