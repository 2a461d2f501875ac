-- The differences of a run as JSON, in their order, after a position; no row at the end.
SELECT jsonb_build_object('id', difference_id, 'run_id', run_id, 'position', position, 'kind', kind, 'direction', direction,
           'out_trade_no', out_trade_no, 'out_refund_no', out_refund_no, 'provider_trade_no', provider_trade_no,
           'hub_amount_fen', hub_amount_fen, 'bill_amount_fen', bill_amount_fen, 'hub_state', hub_state,
           'bill_state', bill_state, 'detail', detail, 'cause', cause, 'proposed_action', proposed_action,
           'status', status, 'opened_at', opened_at)
  FROM differences WHERE run_id = $1 AND position > $2 ORDER BY position LIMIT $3
