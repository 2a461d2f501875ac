-- The differences of an account that are not over, those with the fingerprints $2 left out, oldest first, as JSON; no row when
-- there is none.
SELECT jsonb_build_object('id', d.difference_id, 'first_day', d.first_day, 'status', d.status, 'kind', d.kind, 'direction', d.direction,
           'out_trade_no', d.out_trade_no, 'out_refund_no', COALESCE(d.out_refund_no, ''), 'provider_trade_no', COALESCE(d.provider_trade_no, ''),
           'hub_state', d.hub_state, 'hub_amount', d.hub_amount_fen,
           'bill_amount', d.bill_amount_fen, 'cause', d.cause)
  FROM differences d
 WHERE d.merchant_id = ANY ($1) AND d.same_as IS NULL AND d.closed_at IS NULL
   AND d.status NOT IN ('cleared', 'superseded', 'resolved', 'written_off') AND d.fingerprint <> ALL ($2)
 ORDER BY d.first_day, d.difference_id
