-- Orders with all that is known of them, as JSON, in the order of their ids; no row for an id that is not there.
-- OFFSET 0: what belongs to an order is found first and its balance then, also by a plan made while all was empty.
SELECT jsonb_build_object(
    'id', o.order_id, 'application_id', o.application_id, 'merchant_id', o.merchant_id, 'provider', o.provider,
    'product', o.product, 'out_trade_no', o.out_trade_no, 'amount_fen', o.amount_fen, 'subject', o.subject,
    'status', o.state, 'pay', o.pay, 'created_at', o.created_at, 'expires_at', o.expires_at, 'placed_at', o.placed_at,
    'payer_index', encode(o.payer_index, 'hex'), 'paid_at', o.paid_at,
    'paid_late', o.paid_late, 'provider_trade_no', o.provider_trade_no, 'closed_at', o.closed_at,
    'superseded_at', o.superseded_at, 'placing_at', o.placing_at, 'closing_at', o.closing_at, 'refused_reason', o.refused_reason,
    'refused_code', o.refused_code, 'refused_message', o.refused_message, 'queries', o.queries,
    'watched_until', o.watched_until, 'close_wanted_at', o.close_wanted_at, 'closes', o.closes,
    'combined', (SELECT jsonb_build_object('id', cp.combined_id, 'merchant_id', cp.asked_by, 'payee', cp.payee)
                   FROM combined_parts cp WHERE cp.order_id = o.order_id),
    'fees', COALESCE((
        SELECT jsonb_agg(jsonb_build_object(
                   'fee_id', a.fee_id, 'allocated_fen', a.amount_fen, 'total_fen', b.total_fen, 'paid_fen', b.paid_fen,
                   'refunding_fen', b.refunding_fen, 'refunded_fen', b.refunded_fen, 'remitted_fen', b.remitted_fen,
                   'treasury_refunding_fen', b.treasury_refunding_fen, 'void', b.voided_at IS NOT NULL)
               ORDER BY a.position)
          FROM order_allocations a CROSS JOIN LATERAL (SELECT * FROM fee_balances f WHERE f.fee_id = a.fee_id OFFSET 0) b
         WHERE a.order_id = o.order_id), '[]'),
    'payments', COALESCE((
        SELECT jsonb_agg(jsonb_build_object(
                   'id', p.payment_id, 'provider_trade_no', p.provider_trade_no, 'amount_fen', p.amount_fen,
                   'coupon_fen', p.coupon_fen, 'surplus_fen', p.surplus_fen, 'late', p.late, 'paid_at', p.paid_at,
                   'source', p.source, 'refunding_fen', pb.refunding_fen, 'refunded_fen', pb.refunded_fen,
                   'surplus_refunding_fen', pb.surplus_refunding_fen,
                   'shares', COALESCE((SELECT jsonb_agg(jsonb_build_object('fee_id', s.fee_id, 'amount_fen', s.amount_fen) ORDER BY s.fee_id)
                                         FROM payment_shares s WHERE s.payment_id = p.payment_id), '[]'))
               ORDER BY p.recorded_at, p.payment_id)
          FROM payments p CROSS JOIN LATERAL (SELECT * FROM payment_balances b WHERE b.payment_id = p.payment_id OFFSET 0) pb
         WHERE p.order_id = o.order_id), '[]'),
    'refunds', COALESCE((
        SELECT jsonb_agg(jsonb_build_object(
                   'id', r.refund_id, 'out_refund_no', r.out_refund_no, 'payment_id', r.payment_id,
                   'amount_fen', r.amount_fen, 'surplus_fen', r.surplus_fen, 'status', r.state, 'sent_at', r.sent_at,
                   'send_after', r.send_after, 'route', r.route,
                   'shares', COALESCE((SELECT jsonb_agg(jsonb_build_object('fee_id', s.fee_id, 'amount_fen', s.amount_fen) ORDER BY s.fee_id)
                                         FROM refund_shares s WHERE s.refund_id = r.refund_id), '[]'))
               ORDER BY r.created_at, r.refund_id)
          FROM refunds r WHERE r.order_id = o.order_id), '[]'))
  FROM orders o
 WHERE o.order_id = ANY ($1)
 ORDER BY o.order_id
