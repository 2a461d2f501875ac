-- Writes down that an abnormal refund is sent to another account, and when it is asked for if no answer is ever
-- written; always one row.
WITH refund AS (
    UPDATE refunds SET redirected_at = $5, next_query_at = $6, queries = 0, leased_until = NULL WHERE refund_id = $1
)
INSERT INTO refund_redirects (refund_id, account, call, asked_by, asked_at)
VALUES ($1, $2, $3, $4, $5)
RETURNING redirect_id
