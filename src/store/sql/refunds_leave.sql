-- A refund leaves for its provider: written before it is sent; no row when there is no such refund.
UPDATE refunds SET sent_at = $2, send_after = NULL WHERE refund_id = $1 RETURNING refund_id
