-- Writes a refund down with its shares before its provider is asked; always one row.
WITH refund AS (
    INSERT INTO refunds (refund_id, application_id, merchant_id, order_id, payment_id, out_refund_no, amount_fen,
                         surplus_fen, reason, state, requested_by, refund_call, created_at, next_query_at,
                         route, found_by_office)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $17, $18)
    RETURNING refund_id
), shares AS (
    INSERT INTO refund_shares (refund_id, fee_id, amount_fen)
    SELECT $1, fee_id, amount_fen FROM unnest($15::text[], $16::bigint[]) AS s (fee_id, amount_fen)
)
SELECT refund_id FROM refund
