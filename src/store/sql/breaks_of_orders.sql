-- Where orders disagree with their fees and payments, a sentence a row; no row when they agree.
SELECT format('order %s is %s with %s payments', o.order_id, o.state, count(p.payment_id)) AS break
  FROM orders o LEFT JOIN payments p USING (order_id)
 GROUP BY o.order_id HAVING (o.state = 'paid') <> (count(p.payment_id) > 0)
UNION ALL
SELECT format('order %s is %s fen, its allocations are %s', o.order_id, o.amount_fen, COALESCE(sum(a.amount_fen), 0))
  FROM orders o LEFT JOIN order_allocations a USING (order_id)
 GROUP BY o.order_id HAVING o.amount_fen <> COALESCE(sum(a.amount_fen), 0)
UNION ALL
SELECT format('order %s was paid under %s at %s, none of its payments was', o.order_id, COALESCE(o.provider_trade_no, 'no number'), o.paid_at)
  FROM orders o
 WHERE o.state = 'paid' AND EXISTS (SELECT FROM payments p WHERE p.order_id = o.order_id)
   AND NOT EXISTS (SELECT FROM payments p
                    WHERE p.order_id = o.order_id AND p.provider_trade_no = o.provider_trade_no AND p.paid_at = o.paid_at)
UNION ALL
SELECT format('combined order %s is %s fen, its parts are %s', w.combined_id, w.amount_fen, COALESCE(sum(o.amount_fen), 0))
  FROM combined_orders w LEFT JOIN combined_parts p USING (combined_id) LEFT JOIN orders o USING (order_id)
 GROUP BY w.combined_id HAVING w.amount_fen <> COALESCE(sum(o.amount_fen), 0)
