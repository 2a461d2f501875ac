-- A close of a combined order got no answer: it is asked about again at $3, and wanted since $2 unless only its time was
-- over. No row when there is no such order.
UPDATE combined_orders
   SET closes = closes + 1, close_wanted_at = COALESCE(close_wanted_at, $2), next_query_at = $3,
       queries = CASE WHEN closes = 0 THEN 0 ELSE queries + 1 END, leased_until = NULL
 WHERE combined_id = $1
RETURNING combined_id
