-- Orders of an account's merchants that are not paid here, by their numbers; no row when all of them are.
SELECT order_id FROM orders WHERE merchant_id = ANY ($1) AND out_trade_no = ANY ($2) AND state <> 'paid' ORDER BY order_id
