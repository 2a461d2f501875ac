-- The differences of an account that no run ended, as JSON, each with whether people ended it, whether they said that it was mended,
-- and whether a run of the day $2 has it; no row when there is none.
SELECT jsonb_build_object('id', d.difference_id, 'fingerprint', d.fingerprint, 'kind', d.kind, 'direction', d.direction,
           'out_trade_no', d.out_trade_no, 'out_refund_no', COALESCE(d.out_refund_no, ''),
           'provider_trade_no', COALESCE(d.provider_trade_no, ''),
           'is_over', d.status IN ('resolved', 'written_off'),
           'is_mended', d.status = 'resolved'
               AND (SELECT s.action IN ('ask_provider', 'corrected') FROM difference_steps s
                     WHERE s.difference_id = d.difference_id AND s.event = 'proposed' ORDER BY s.position DESC LIMIT 1) IS TRUE
               AND (SELECT s.event FROM difference_steps s WHERE s.difference_id = d.difference_id
                     ORDER BY s.position DESC LIMIT 1) = 'resolved',
           'of_day', EXISTS (SELECT FROM differences s JOIN runs r USING (run_id)
                              WHERE (s.difference_id = d.difference_id OR s.same_as = d.difference_id) AND r.bill_date = $2))
  FROM differences d
 WHERE d.merchant_id = ANY ($1) AND d.status NOT IN ('cleared', 'superseded') AND d.same_as IS NULL
