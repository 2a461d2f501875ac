-- Orders, by merchant and number as orders_lock_by_number finds them, that somebody else has locked; no row when nobody
-- has. The free ones are locked by asking: the transaction must end at once.
WITH asked AS (
    SELECT order_id FROM orders
     WHERE (merchant_id, out_trade_no) IN (SELECT * FROM unnest($1::text[], $2::text[]))
     UNION
    SELECT order_id FROM combined_parts
     WHERE (asked_by, out_trade_no) IN (SELECT * FROM unnest($1::text[], $2::text[]))
), free AS MATERIALIZED (
    SELECT order_id FROM orders WHERE order_id IN (SELECT order_id FROM asked) FOR UPDATE SKIP LOCKED
)
SELECT out_trade_no FROM orders
 WHERE order_id IN (SELECT order_id FROM asked) AND order_id NOT IN (SELECT order_id FROM free)
