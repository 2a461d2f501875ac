-- Moves refunds ($1) and the balances of their payments ($2), as facts say. It decides nothing; what may not be, a
-- named constraint refuses. Always one row.
WITH moved_payments AS (
    UPDATE payment_balances b
       SET refunding_fen = b.refunding_fen + c.refunding_fen, refunded_fen = b.refunded_fen + c.refunded_fen,
           surplus_refunding_fen = b.surplus_refunding_fen + c.surplus_refunding_fen
      FROM jsonb_to_recordset($2::jsonb)
           AS c (payment_id text, refunding_fen bigint, refunded_fen bigint, surplus_refunding_fen bigint)
     WHERE b.payment_id = c.payment_id
), moved_refunds AS (
    UPDATE refunds r
       SET state = c.state, provider_refund_no = COALESCE(c.provider_refund_no, r.provider_refund_no),
           accepted_at = COALESCE(c.accepted_at, r.accepted_at, r.sent_at, c.known_at),
           succeeded_at = COALESCE(c.succeeded_at, r.succeeded_at),
           refused_reason = NULL, refused_code = NULL, refused_message = NULL, send_after = NULL,
           -- What is abnormal is a person's work, save where a redirection may yet move it.
           next_query_at = CASE WHEN c.state = 'abnormal' AND r.redirected_at IS NULL THEN NULL ELSE c.next_query_at END,
           queries = 0, leased_until = NULL
      FROM jsonb_to_recordset($1::jsonb)
           AS c (refund_id text, state text, provider_refund_no text, accepted_at timestamptz, known_at timestamptz,
                 succeeded_at timestamptz, next_query_at timestamptz)
     WHERE r.refund_id = c.refund_id
)
SELECT 1
