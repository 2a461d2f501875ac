-- Writes down that an abnormal refund is sent to another account; always one row.
INSERT INTO refund_redirects (refund_id, account, call, asked_by, asked_at)
VALUES ($1, $2, $3, $4, $5)
RETURNING redirect_id
