-- Leases orders of a merchant whose query is due, oldest first; no row when nothing is due.
UPDATE orders SET leased_until = clock_timestamp() + interval '120 seconds'
 WHERE order_id IN (
       SELECT order_id FROM orders
        WHERE merchant_id = $1 AND next_query_at <= $2 AND (leased_until IS NULL OR leased_until < clock_timestamp())
        ORDER BY next_query_at LIMIT $3
          FOR UPDATE SKIP LOCKED)
RETURNING order_id
