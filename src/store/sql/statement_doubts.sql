-- The doubts of an account that were open on some day from $2 until $3, by the days of the bills that opened and decided them,
-- as JSON, oldest first; no row when there was none. Those of a run that a newer one replaced are not counted.
SELECT jsonb_build_object('first_day', r.bill_date, 'opened_on', r.bill_date, 'ended_on', GREATEST(e.bill_date, r.bill_date),
           'end', CASE WHEN d.state = 'open' THEN NULL ELSE d.state END, 'kind', d.kind, 'direction', d.direction,
           'out_trade_no', d.out_trade_no, 'out_refund_no', COALESCE(d.out_refund_no, ''),
           'amount', COALESCE(GREATEST(d.hub_amount_fen, d.bill_amount_fen), 0), 'cause', d.finding -> 'cause')
  FROM doubts d JOIN runs r USING (run_id) LEFT JOIN runs e ON e.run_id = d.resolved_by_run
 WHERE r.merchant_id = ANY ($1) AND d.state <> 'superseded' AND r.bill_date < $3
   AND (e.bill_date IS NULL OR GREATEST(e.bill_date, r.bill_date) >= $2)
 ORDER BY r.bill_date, d.doubt_id
