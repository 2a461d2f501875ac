-- The combined order to which a merchant's order belongs, by the order's number; no row when it stands alone.
SELECT p.combined_id FROM orders o JOIN combined_parts p USING (order_id) WHERE o.merchant_id = $1 AND o.out_trade_no = $2
