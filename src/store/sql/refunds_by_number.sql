-- The refund of a merchant with that number; no row when there is none.
SELECT refund_id, order_id, amount_fen FROM refunds WHERE merchant_id = $1 AND out_refund_no = $2
