-- In whose journal the order of a difference stands, among an account's merchants ($2); no row when the order is unknown.
SELECT o.merchant_id FROM differences d JOIN orders o ON o.out_trade_no = d.out_trade_no AND o.merchant_id = ANY ($2)
 WHERE d.difference_id = $1
