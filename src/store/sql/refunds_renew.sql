-- Renews the leases of refunds in hand; no row where all of them ended, or somebody is just writing.
UPDATE refunds SET leased_until = clock_timestamp() + interval '25 seconds'
 WHERE refund_id IN (
       SELECT refund_id FROM refunds
        WHERE refund_id = ANY ($1) AND leased_until > clock_timestamp()
          FOR UPDATE SKIP LOCKED)
RETURNING refund_id
