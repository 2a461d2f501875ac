-- The ledger of an account's merchants for a day and for the numbers that its bill names, as JSON; no row when it has nothing.
SELECT jsonb_build_object('direction', 'payment', 'out_trade_no', o.out_trade_no, 'out_refund_no', '',
           'provider_trade_no', p.provider_trade_no, 'amount', p.amount_fen, 'state', 'paid', 'occurred_at', p.paid_at)
  FROM payments p JOIN orders o USING (order_id)
 WHERE p.merchant_id = ANY ($1)
   AND ((p.paid_at >= $2 AND p.paid_at < $3) OR o.out_trade_no = ANY ($4) OR p.provider_trade_no = ANY ($5))
UNION ALL
SELECT jsonb_build_object('direction', 'payment', 'out_trade_no', o.out_trade_no, 'out_refund_no', '',
           'provider_trade_no', COALESCE(o.provider_trade_no, ''), 'amount', o.amount_fen,
           'state', CASE WHEN o.state IN ('closed', 'failed') THEN 'closed' ELSE 'pending' END, 'occurred_at', o.created_at)
  FROM orders o
 WHERE o.merchant_id = ANY ($1) AND o.state <> 'paid' AND o.out_trade_no = ANY ($4)
UNION ALL
SELECT jsonb_build_object('direction', 'refund', 'out_trade_no', o.out_trade_no, 'out_refund_no', r.out_refund_no,
           'provider_trade_no', p.provider_trade_no, 'amount', r.amount_fen,
           'state', CASE r.state WHEN 'succeeded' THEN 'succeeded' WHEN 'failed' THEN 'failed'
                                 WHEN 'declined' THEN 'failed' ELSE 'processing' END,
           'occurred_at', COALESCE(r.accepted_at, r.created_at))
  FROM refunds r JOIN orders o USING (order_id) JOIN payments p USING (payment_id)
 WHERE r.merchant_id = ANY ($1)
   AND r.route = 'provider' -- what the treasury pays is in no provider's bill
   AND ((r.accepted_at >= $2 AND r.accepted_at < $3) OR r.out_refund_no = ANY ($6))
