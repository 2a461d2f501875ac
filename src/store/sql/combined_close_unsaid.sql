-- A close of a combined order got no answer: it is asked about again at $3, or at $5 where somebody has opened the page meanwhile ($4:
-- now), and wanted since $2 unless only its time was over. No row when there is no such order.
UPDATE combined_orders
   SET closes = closes + 1, close_wanted_at = COALESCE(close_wanted_at, $2), leased_until = NULL,
       next_query_at = CASE WHEN $3::timestamptz IS NOT NULL AND watched_until > $4 THEN LEAST($3, $5) ELSE $3 END,
       queries = CASE WHEN closes = 0 THEN 0 ELSE queries + 1 END
 WHERE combined_id = $1
RETURNING combined_id
