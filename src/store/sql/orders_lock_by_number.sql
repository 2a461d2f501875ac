-- Locks a merchant's orders by their numbers, in the order of their ids; no row for a number that is not there.
SELECT order_id, out_trade_no FROM orders
 WHERE merchant_id = $1 AND out_trade_no = ANY ($2)
 ORDER BY order_id
   FOR UPDATE
