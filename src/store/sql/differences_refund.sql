-- How a refund stands and whether it is of the order of a difference ($2); no row for an unknown refund.
SELECT r.state, o.out_trade_no = d.out_trade_no AS is_of_order
  FROM refunds r JOIN orders o USING (order_id) CROSS JOIN differences d
 WHERE r.refund_id = $1 AND d.difference_id = $2
