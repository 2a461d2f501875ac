-- What a run says of each of its differences, as JSON in their order, each by the id that it has in all runs; no row when it has none.
SELECT jsonb_build_object('id', COALESCE(d.same_as, d.difference_id), 'fingerprint', d.fingerprint, 'kind', d.kind,
           'direction', d.direction, 'out_trade_no', d.out_trade_no, 'out_refund_no', d.out_refund_no,
           'provider_trade_no', d.provider_trade_no, 'hub_amount_fen', d.hub_amount_fen, 'bill_amount_fen', d.bill_amount_fen,
           'hub_state', d.hub_state, 'bill_state', d.bill_state, 'cause', d.cause, 'proposed_action', d.proposed_action)
  FROM differences d WHERE d.run_id = $1 ORDER BY d.position
