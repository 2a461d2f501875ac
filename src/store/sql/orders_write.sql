-- Writes an order down before its provider is asked, with its shares, as the live order of its fees, and takes the key under
-- which it is asked for ($18 NULL: none); no row when the key is known, or a fee is void or was paid since it was read ($17).
WITH shares AS (
    SELECT fee_id, amount_fen, paid_fen, position
      FROM unnest($15::text[], $16::bigint[], $17::bigint[]) WITH ORDINALITY AS s (fee_id, amount_fen, paid_fen, position)
), locked AS (
    SELECT b.fee_id FROM shares s JOIN fee_balances b USING (fee_id)
     WHERE b.paid_fen = s.paid_fen AND b.voided_at IS NULL
     ORDER BY b.fee_id
       FOR UPDATE OF b
), taken AS (
    INSERT INTO idempotency_keys (application_id, key, call, body_hash, created_at, leased_until)
    SELECT $2, $18, $19, $20, $10, clock_timestamp() + interval '60 seconds'
     WHERE $18::text IS NOT NULL AND (SELECT count(*) FROM locked) = cardinality($15)
    ON CONFLICT DO NOTHING
    RETURNING lease
), written AS (
    INSERT INTO orders (order_id, application_id, merchant_id, provider, product, out_trade_no, amount_fen, subject,
                        state, place_call, created_at, expires_at, placing_at, next_query_at, payer_index)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, 'created', $9, $10, $11, $12, $13, $14
     WHERE (SELECT count(*) FROM locked) = cardinality($15) AND ($18 IS NULL OR EXISTS (SELECT FROM taken))
    RETURNING order_id
), allocated AS (
    INSERT INTO order_allocations (order_id, position, fee_id, amount_fen)
    SELECT order_id, position, fee_id, amount_fen FROM written CROSS JOIN shares
), live AS (
    INSERT INTO live_orders (fee_id, order_id) SELECT fee_id, order_id FROM written CROSS JOIN shares
)
SELECT COALESCE((SELECT lease FROM taken), 0) AS lease FROM written
