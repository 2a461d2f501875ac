-- Writes refunds ($1) and their shares ($2) that were made in a provider's portal, as they stand there. Nobody here asked for
-- them, and no call of ours did. It decides nothing; what may not be, a named constraint refuses. Always one row.
WITH new_refunds AS (
    INSERT INTO refunds (refund_id, application_id, merchant_id, order_id, payment_id, out_refund_no, amount_fen, surplus_fen,
                         reason, state, provider_refund_no, created_at, accepted_at, succeeded_at, next_query_at, route, origin)
    SELECT c.refund_id, c.application_id, c.merchant_id, c.order_id, c.payment_id, c.out_refund_no, c.amount_fen, c.surplus_fen,
           c.reason, c.state, c.provider_refund_no, c.created_at, c.accepted_at, c.succeeded_at, c.next_query_at, 'provider',
           'portal'
      FROM jsonb_to_recordset($1::jsonb)
           AS c (refund_id text, application_id text, merchant_id text, order_id text, payment_id text, out_refund_no text,
                 amount_fen bigint, surplus_fen bigint, reason text, state text, provider_refund_no text,
                 created_at timestamptz, accepted_at timestamptz, succeeded_at timestamptz, next_query_at timestamptz)
), new_shares AS (
    INSERT INTO refund_shares (refund_id, fee_id, amount_fen)
    SELECT s.refund_id, s.fee_id, s.amount_fen
      FROM jsonb_to_recordset($2::jsonb) AS s (refund_id text, fee_id text, amount_fen bigint)
)
SELECT 1
