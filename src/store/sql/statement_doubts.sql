-- The doubts of an account that were open on some day from $2 until $3, by the days of the bills that opened and decided them,
-- as JSON, oldest first; no row when there was none. Those of a run that a newer one replaced are not counted.
SELECT jsonb_build_object('first_day', o.opened_on, 'opened_on', o.opened_on, 'ended_on', o.ended_on,
           'end', CASE WHEN o.ended_on IS NULL THEN NULL ELSE o.state END, 'kind', o.kind, 'direction', o.direction,
           'out_trade_no', o.out_trade_no, 'out_refund_no', COALESCE(o.out_refund_no, ''),
           'amount', COALESCE(GREATEST(o.hub_amount_fen, o.bill_amount_fen), 0), 'cause', o.finding -> 'cause')
  FROM (SELECT d.*, r.bill_date AS opened_on,
               -- The greater of a day and nothing would be the day.
               CASE WHEN e.bill_date IS NOT NULL THEN GREATEST(e.bill_date, r.bill_date) END AS ended_on
          FROM doubts d JOIN runs r USING (run_id) LEFT JOIN runs e ON e.run_id = d.resolved_by_run
         WHERE r.merchant_id = ANY ($1) AND d.state <> 'superseded' AND r.bill_date < $3) o
 WHERE o.ended_on IS NULL OR o.ended_on >= $2
 ORDER BY o.opened_on, o.doubt_id
