-- What of an arrival is which merchant's; no row when there is no such match.
SELECT merchant_id, amount_fen AS net_fen FROM settlement_match_shares WHERE match_id = $1 ORDER BY merchant_id
