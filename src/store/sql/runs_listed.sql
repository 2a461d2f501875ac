-- Which of the orders $3 the bills of the days around $2 have listed, as their newest runs say, as JSON; no row when none has.
SELECT jsonb_build_object('direction', m -> 'direction', 'out_trade_no', m -> 'out_trade_no',
           'out_refund_no', m -> 'out_refund_no', 'provider_trade_no', m -> 'provider_trade_no')
  FROM (SELECT DISTINCT ON (bill_date) report FROM runs
         WHERE merchant_id = ANY ($1) AND bill_date BETWEEN $2::date - 4 AND $2::date + 4 AND bill_date <> $2
           AND report IS NOT NULL
         ORDER BY bill_date, version DESC) AS newest,
       jsonb_array_elements(report #> '{result,matched}') AS m
 WHERE m ->> 'out_trade_no' = ANY ($3)
