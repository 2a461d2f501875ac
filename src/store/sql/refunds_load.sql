-- Refunds as JSON, in the order of their ids; no row for an id that is not there.
SELECT jsonb_build_object(
    'id', r.refund_id, 'application_id', r.application_id, 'merchant_id', r.merchant_id, 'order_id', r.order_id,
    'payment_id', r.payment_id, 'out_trade_no', o.out_trade_no, 'out_refund_no', r.out_refund_no, 'amount_fen', r.amount_fen,
    'surplus_fen', r.surplus_fen, 'reason', r.reason, 'status', r.state, 'requested_by', r.requested_by,
    'origin', r.origin,
    'decided_by', r.decided_by, 'provider_refund_no', r.provider_refund_no, 'refused_reason', r.refused_reason,
    'refused_code', r.refused_code, 'refused_message', r.refused_message, 'created_at', r.created_at,
    'accepted_at', r.accepted_at, 'succeeded_at', r.succeeded_at, 'sent_at', r.sent_at, 'send_after', r.send_after,
    'redirected_at', r.redirected_at, 'queries', r.queries, 'route', r.route, 'found_by_office', r.found_by_office,
    'steps', COALESCE((SELECT jsonb_agg(jsonb_build_object('event', t.event, 'occurred_on', t.occurred_on, 'by', t.by,
                                  'document_no', t.document_no, 'red_flush', t.red_flush, 'reason', t.reason,
                                  'told_at', t.told_at) ORDER BY t.position)
                         FROM treasury_steps t WHERE t.refund_id = r.refund_id), '[]'),
    'allocations', COALESCE((SELECT jsonb_agg(jsonb_build_object('fee_id', s.fee_id, 'amount_fen', s.amount_fen) ORDER BY s.fee_id)
                               FROM refund_shares s WHERE s.refund_id = r.refund_id), '[]'))
  FROM refunds r JOIN orders o USING (order_id)
 WHERE r.refund_id = ANY ($1)
 ORDER BY r.refund_id
