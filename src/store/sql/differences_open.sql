-- The open differences of an account as JSON, each with whether a run of the day $2 has it; no row when there is none.
SELECT jsonb_build_object('id', d.difference_id, 'fingerprint', d.fingerprint, 'kind', d.kind, 'direction', d.direction,
           'out_trade_no', d.out_trade_no, 'out_refund_no', COALESCE(d.out_refund_no, ''),
           'provider_trade_no', COALESCE(d.provider_trade_no, ''),
           'of_day', EXISTS (SELECT FROM differences s JOIN runs r USING (run_id)
                              WHERE (s.difference_id = d.difference_id OR s.same_as = d.difference_id) AND r.bill_date = $2))
  FROM differences d
 WHERE d.merchant_id = ANY ($1) AND d.status = 'open' AND d.same_as IS NULL
