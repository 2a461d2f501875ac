-- A combined order as JSON, with the ids of its parts in their order; no row for an id that is not there.
SELECT jsonb_build_object(
    'id', c.combined_id, 'application_id', c.application_id, 'merchant_id', c.merchant_id, 'product', c.product,
    'out_trade_no', c.out_trade_no, 'amount_fen', c.amount_fen, 'pay', c.pay, 'created_at', c.created_at,
    'expires_at', c.expires_at, 'queries', c.queries, 'placed_at', c.placed_at,
    'payer_index', encode(c.payer_index, 'hex'), 'watched_until', c.watched_until,
    'close_wanted_at', c.close_wanted_at, 'closes', c.closes,
    'order_ids', (SELECT jsonb_agg(p.order_id ORDER BY p.position) FROM combined_parts p WHERE p.combined_id = c.combined_id))
  FROM combined_orders c
 WHERE c.combined_id = $1
