-- Writes what the provider said to placing or closing an order, which is asked for next at $10, or at $13 where it is still
-- live and somebody has opened its page meanwhile ($12: now); no row when its state moved meanwhile.
UPDATE orders
   SET state = $3, pay = COALESCE($4, pay), refused_reason = $5, refused_code = $6, refused_message = $7,
       closed_at = $8, superseded_at = $9, queries = $11, leased_until = NULL,
       next_query_at = CASE WHEN $10::timestamptz IS NOT NULL AND $3 IN ('created', 'pending', 'unknown') AND watched_until > $12
                            THEN LEAST($10, $13) ELSE $10 END,
       closing_at = CASE WHEN $3 IN ('created', 'pending', 'unknown') THEN closing_at END,
       close_wanted_at = CASE WHEN $3 IN ('created', 'pending', 'unknown') THEN close_wanted_at END,
       closes = CASE WHEN $3 IN ('created', 'pending', 'unknown') THEN closes ELSE 0 END
 WHERE order_id = $1 AND state = $2
RETURNING order_id
