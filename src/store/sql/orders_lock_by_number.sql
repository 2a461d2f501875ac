-- Locks orders of many merchants by merchant and number, pair by pair, in the order of their ids; no row for a
-- number that is not there. A part of a combined order is found by the merchant of the whole as well.
SELECT order_id, merchant_id, ARRAY(SELECT a.fee_id FROM order_allocations a WHERE a.order_id = orders.order_id) AS fees
  FROM orders
 WHERE order_id IN (
       SELECT order_id FROM orders
        WHERE (merchant_id, out_trade_no) IN (SELECT * FROM unnest($1::text[], $2::text[]))
        UNION ALL
       SELECT order_id FROM combined_parts
        WHERE (asked_by, out_trade_no) IN (SELECT * FROM unnest($1::text[], $2::text[])))
 ORDER BY order_id
   FOR UPDATE
