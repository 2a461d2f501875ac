-- The differences of an account that were open on some day from $2 until $3, by the days of the bills that opened and closed
-- them, as JSON, oldest first; no row when there was none. What people ended is of the day on which they did.
SELECT jsonb_build_object('first_day', d.first_day, 'opened_on', d.opened_on, 'ended_on', d.ended_on,
           'end', CASE WHEN d.ended_on IS NULL THEN NULL ELSE d.status END, 'kind', d.kind, 'direction', d.direction,
           'out_trade_no', d.out_trade_no, 'out_refund_no', COALESCE(d.out_refund_no, ''),
           'amount', COALESCE(GREATEST(d.hub_amount_fen, d.bill_amount_fen), 0), 'cause', d.cause)
  FROM (SELECT f.*, r.bill_date AS opened_on,
               GREATEST(r.bill_date, COALESCE(e.bill_date, (f.closed_at AT TIME ZONE 'Asia/Shanghai')::date)) AS ended_on
          FROM differences f JOIN runs r USING (run_id) LEFT JOIN runs e ON e.run_id = f.closed_run
         WHERE f.merchant_id = ANY ($1) AND f.same_as IS NULL AND r.bill_date < $3) d
 WHERE d.ended_on IS NULL OR d.ended_on >= $2
 ORDER BY d.opened_on, d.difference_id
