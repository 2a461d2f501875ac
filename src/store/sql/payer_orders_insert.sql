-- Writes a transfer down as the paid order that it is, with what it brings for which fee; always one row.
WITH written AS (
    INSERT INTO orders (order_id, application_id, merchant_id, provider, product, out_trade_no, amount_fen, subject, state, place_call,
                        created_at, expires_at, paid_at, provider_trade_no)
    VALUES ($1, $2, $3, 'bank', 'transfer', $4, $5, $6, 'paid', '\x', $7, $7, $8, $9)
    RETURNING order_id
), allocated AS (
    INSERT INTO order_allocations (order_id, position, fee_id, amount_fen)
    SELECT $1, position, fee_id, amount_fen FROM unnest($10::text[], $11::bigint[]) WITH ORDINALITY AS a (fee_id, amount_fen, position)
)
SELECT order_id FROM written
