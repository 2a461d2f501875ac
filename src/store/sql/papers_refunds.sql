-- The refunds of an account that were asked for, taken up or done from $2 until $3, and those with the numbers $4, as JSON in
-- the order in which they were asked for; no row when there is none.
SELECT jsonb_build_object('out_refund_no', r.out_refund_no, 'out_trade_no', o.out_trade_no,
           'case_nos', COALESCE((SELECT jsonb_agg(DISTINCT f.case_no) FROM refund_shares s JOIN fees f USING (fee_id)
                                  WHERE s.refund_id = r.refund_id), '[]'),
           'amount', r.amount_fen, 'surplus', r.surplus_fen, 'route', r.route, 'is_redirected', r.redirected_at IS NOT NULL,
           'state', r.state, 'requested_by', COALESCE(r.requested_by, ''), 'origin', r.origin, 'decided_by', r.decided_by,
           'red_flush', (SELECT t.red_flush FROM treasury_steps t WHERE t.refund_id = r.refund_id AND t.red_flush IS NOT NULL
                          ORDER BY t.position DESC LIMIT 1),
           'created_at', r.created_at, 'accepted_at', r.accepted_at, 'succeeded_at', r.succeeded_at)
  FROM refunds r JOIN orders o USING (order_id)
 WHERE r.merchant_id = ANY ($1)
   AND ((r.created_at >= $2 AND r.created_at < $3) OR (r.accepted_at >= $2 AND r.accepted_at < $3)
        OR (r.succeeded_at >= $2 AND r.succeeded_at < $3) OR r.out_refund_no = ANY ($4))
 ORDER BY r.created_at, r.refund_id
