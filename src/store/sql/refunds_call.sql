-- The stored call that asks for a refund; no row when there is no such refund.
SELECT merchant_id, refund_call FROM refunds WHERE refund_id = $1
