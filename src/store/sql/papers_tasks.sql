-- What people have to look at of some merchants ($1) and nobody has closed, oldest first, as JSON; no row when there is nothing.
SELECT jsonb_build_object('kind', i.kind, 'opened_at', i.opened_at, 'number', COALESCE(r.out_refund_no, o.out_trade_no))
  FROM incidents i
       LEFT JOIN orders o ON o.order_id = i.order_id
       LEFT JOIN refunds r ON r.refund_id = i.refund_id
 WHERE i.merchant_id = ANY ($1) AND i.closed_at IS NULL
 ORDER BY i.opened_at, i.incident_id
