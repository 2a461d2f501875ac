-- Says when a combined order is asked for next: at $2, or at $5 where somebody has opened its page meanwhile ($4: now). No
-- row when there is no such order.
UPDATE combined_orders
   SET next_query_at = CASE WHEN $2::timestamptz IS NOT NULL AND watched_until > $4 THEN LEAST($2, $5) ELSE $2 END,
       queries = $3, leased_until = NULL
 WHERE combined_id = $1
RETURNING combined_id
