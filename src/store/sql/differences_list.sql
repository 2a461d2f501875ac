-- The differences of a run as JSON, in their order, after a position; no row at the end.
SELECT jsonb_build_object('id', f.difference_id, 'run_id', d.run_id, 'position', d.position, 'kind', d.kind,
           'direction', d.direction, 'out_trade_no', d.out_trade_no, 'out_refund_no', d.out_refund_no,
           'provider_trade_no', d.provider_trade_no, 'hub_amount_fen', d.hub_amount_fen,
           'bill_amount_fen', d.bill_amount_fen, 'hub_state', d.hub_state, 'bill_state', d.bill_state, 'detail', d.detail,
           'cause', d.cause, 'proposed_action', d.proposed_action, 'first_day', f.first_day, 'status', f.status,
           'owner', f.assigned_to, 'opened_at', f.opened_at)
  FROM differences d JOIN differences f ON f.difference_id = COALESCE(d.same_as, d.difference_id)
 WHERE d.run_id = $1 AND d.position > $2 ORDER BY d.position LIMIT $3
