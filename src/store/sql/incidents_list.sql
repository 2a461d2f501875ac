-- Incidents as JSON, newest first: of one application ($1; NULL: everybody's), by id ($2), open or not ($3), merchant ($4),
-- kind ($5), older than a cursor ($6). An application sees its own and those of its own orders and refunds, and those of
-- nobody when it hears office-wide events. No row when there is none.
SELECT jsonb_build_object(
    'id', i.incident_id, 'merchant_id', i.merchant_id, 'application_id', i.application_id, 'kind', i.kind,
    'detail', i.detail, 'order_id', i.order_id,
    'refund_id', COALESCE(i.refund_id, (
        SELECT r.refund_id FROM refunds r JOIN orders o USING (order_id)
         WHERE r.order_id = i.order_id AND i.kind LIKE 'refund\_%'
           AND i.dedupe_key = concat_ws(':', i.kind, i.merchant_id, o.out_trade_no, r.out_refund_no) LIMIT 1)),
    'opened_at', i.opened_at, 'closed_at', i.closed_at, 'closed_by', i.closed_by, 'note', i.note, 'earlier', i.earlier,
    'payment', (
        SELECT jsonb_build_object('id', p.payment_id, 'amount_fen', p.amount_fen - b.refunding_fen,
                                  'surplus_fen', p.surplus_fen - b.surplus_refunding_fen)
          FROM payments p JOIN payment_balances b USING (payment_id) JOIN orders o USING (order_id)
         WHERE p.order_id = i.order_id
           AND starts_with(i.dedupe_key, concat_ws(':', i.kind, i.merchant_id, o.out_trade_no, p.provider_trade_no, '')) LIMIT 1))
  FROM incidents i
 WHERE ($1::text IS NULL
        OR i.application_id = $1
        OR EXISTS (SELECT FROM orders o WHERE o.order_id = i.order_id AND o.application_id = $1)
        OR EXISTS (SELECT FROM refunds r WHERE r.refund_id = i.refund_id AND r.application_id = $1)
        OR (num_nonnulls(i.application_id, i.order_id, i.refund_id) = 0
            AND EXISTS (SELECT FROM applications a WHERE a.application_id = $1 AND a.webhook_events <> '{}')))
   AND ($2::text IS NULL OR i.incident_id = $2)
   AND ($3::boolean IS NULL OR (i.closed_at IS NULL) = $3)
   AND ($4::text IS NULL OR i.merchant_id = $4)
   AND ($5::text IS NULL OR i.kind = $5)
   AND ($6::text IS NULL OR i.incident_id < $6)
 ORDER BY i.incident_id DESC LIMIT $7
