-- Renews the leases of orders in hand; no row where all of them ended, or somebody is just writing.
UPDATE orders SET leased_until = clock_timestamp() + interval '25 seconds'
 WHERE order_id IN (
       SELECT order_id FROM orders
        WHERE order_id = ANY ($1) AND leased_until > clock_timestamp()
          FOR UPDATE SKIP LOCKED)
RETURNING order_id
