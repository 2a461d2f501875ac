-- What of a bill's rows is which merchant's: $1 the order numbers, $2 their amounts, signed; what belongs to none of the
-- account's merchants ($3) is the first one's. No row when there are no rows.
SELECT COALESCE(o.merchant_id, ($3::text[])[1]) AS merchant_id, sum(r.amount_fen)::bigint AS net_fen
  FROM unnest($1::text[], $2::bigint[]) AS r (out_trade_no, amount_fen)
       LEFT JOIN orders o ON o.out_trade_no = r.out_trade_no AND o.merchant_id = ANY ($3)
 GROUP BY 1 ORDER BY 1
