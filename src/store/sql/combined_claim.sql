-- Leases combined orders of a merchant whose query is due, oldest first; no row when nothing is due.
UPDATE combined_orders SET leased_until = clock_timestamp() + interval '60 seconds'
 WHERE combined_id IN (
       SELECT combined_id FROM combined_orders
        WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
        ORDER BY next_query_at LIMIT $3
          FOR UPDATE SKIP LOCKED)
RETURNING combined_id
