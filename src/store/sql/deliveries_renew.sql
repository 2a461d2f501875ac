-- Holds claimed deliveries longer, because their work is long; no row for a lease that was lost.
UPDATE deliveries d SET leased_until = clock_timestamp() + interval '20 seconds'
  FROM unnest($1::bigint[], $2::bigint[]) AS held (delivery_id, lease)
 WHERE d.delivery_id = held.delivery_id AND d.lease = held.lease AND d.leased_until IS NOT NULL
RETURNING d.delivery_id
