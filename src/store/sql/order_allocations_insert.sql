-- Writes how an order divides over its fees, and that it is their live order; one row a fee.
WITH shares AS (
    SELECT fee_id, amount_fen, position FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS s (fee_id, amount_fen, position)
), written AS (
    INSERT INTO order_allocations (order_id, position, fee_id, amount_fen)
    SELECT $1, position, fee_id, amount_fen FROM shares
)
INSERT INTO live_orders (fee_id, order_id) SELECT fee_id, $1 FROM shares RETURNING fee_id
