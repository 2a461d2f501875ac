-- Locks orders of many merchants by merchant and number, pair by pair, in the order of their ids; no row for a
-- number that is not there.
SELECT order_id, out_trade_no FROM orders
 WHERE (merchant_id, out_trade_no) IN (SELECT * FROM unnest($1::text[], $2::text[]))
 ORDER BY order_id
   FOR UPDATE
