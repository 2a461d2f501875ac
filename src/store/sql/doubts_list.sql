-- The doubts of a run as JSON, in their order, after a position, each with what became of it; no row at the end.
SELECT jsonb_build_object('position', d.position, 'id', d.doubt_id, 'run_id', d.run_id, 'kind', d.kind,
           'direction', d.direction, 'out_trade_no', d.out_trade_no, 'out_refund_no', d.out_refund_no,
           'provider_trade_no', d.provider_trade_no, 'hub_amount_fen', d.hub_amount_fen,
           'bill_amount_fen', d.bill_amount_fen, 'hub_state', d.hub_state, 'bill_state', d.bill_state, 'detail', d.detail,
           'cause', d.finding ->> 'cause', 'occurred_at', d.finding ->> 'occurred_at', 'status', d.state,
           'files_waited', d.files_waited, 'resolved_by_run', d.resolved_by_run, 'difference_id', d.difference_id,
           'opened_at', d.opened_at)
  FROM doubts d
 WHERE d.run_id = $1 AND d.position > $2 ORDER BY d.position LIMIT $3
