-- The differences of an account that were open on some day from $2 until $3, by the days of the bills that opened and closed
-- them, as JSON, oldest first; no row when there was none. What people ended is of the day on which they did.
SELECT jsonb_build_object('first_day', o.first_day, 'opened_on', o.opened_on, 'ended_on',
           CASE WHEN o.closed_on IS NOT NULL THEN GREATEST(o.opened_on, o.closed_on) END,
           'end', CASE WHEN o.closed_on IS NULL THEN NULL ELSE o.status END, 'kind', o.kind, 'direction', o.direction,
           'out_trade_no', o.out_trade_no, 'out_refund_no', COALESCE(o.out_refund_no, ''),
           'amount', COALESCE(GREATEST(o.hub_amount_fen, o.bill_amount_fen), 0), 'cause', o.cause)
  FROM (SELECT d.*, r.bill_date AS opened_on,
               COALESCE(e.bill_date, (d.closed_at AT TIME ZONE 'Asia/Shanghai')::date) AS closed_on
          FROM differences d JOIN runs r USING (run_id) LEFT JOIN runs e ON e.run_id = d.closed_run
         WHERE d.merchant_id = ANY ($1) AND d.same_as IS NULL AND r.bill_date < $3) o
 WHERE o.closed_on IS NULL OR GREATEST(o.opened_on, o.closed_on) >= $2
 ORDER BY o.opened_on, o.difference_id
