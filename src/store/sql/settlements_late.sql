-- Settlements due from $1 to $2 of which nothing has arrived; no row when there is none.
SELECT s.settlement_id, s.account, s.bill_date, s.due_on, s.net_fen, h.merchant_id
  FROM settlements s JOIN settlement_shares h ON h.settlement_id = s.settlement_id AND h.position = 1
 WHERE s.due_on BETWEEN $1 AND $2 AND s.net_fen > 0
   AND NOT EXISTS (SELECT FROM standing_match_days d WHERE d.settlement_id = s.settlement_id)
 ORDER BY s.settlement_id
