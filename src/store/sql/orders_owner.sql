-- Which of an account's merchants has an order with that number; no row when none has.
SELECT merchant_id FROM orders WHERE merchant_id = ANY ($1) AND out_trade_no = $2 ORDER BY merchant_id LIMIT 1
