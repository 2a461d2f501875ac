-- Renews the leases of combined orders in hand; no row where all of them ended, or somebody is just writing.
UPDATE combined_orders SET leased_until = clock_timestamp() + interval '25 seconds'
 WHERE combined_id IN (
       SELECT combined_id FROM combined_orders
        WHERE combined_id = ANY ($1) AND leased_until > clock_timestamp()
          FOR UPDATE SKIP LOCKED)
RETURNING combined_id
