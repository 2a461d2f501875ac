-- What of some settlements is which merchant's, together, the account's first merchant first; no row when they are not there.
SELECT merchant_id, sum(net_fen)::bigint AS net_fen
  FROM settlement_shares WHERE settlement_id = ANY ($1)
 GROUP BY merchant_id ORDER BY min(position), merchant_id
