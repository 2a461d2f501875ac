-- Gives back claimed deliveries that were not begun, so that anybody may claim them; no row for a lease that was lost.
UPDATE deliveries d SET leased_until = NULL
  FROM unnest($1::bigint[], $2::bigint[]) AS held (delivery_id, lease)
 WHERE d.delivery_id = held.delivery_id AND d.lease = held.lease
RETURNING d.delivery_id
