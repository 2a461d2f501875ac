-- What providers are expected to settle of the days since $1, whether it has arrived or not, and before that what has not; no
-- row when there is nothing.
SELECT s.settlement_id, s.account, s.numbers, s.bill_date, s.due_on, s.net_fen, s.fee_fen, d.match_id IS NULL AS is_open
  FROM settlements s LEFT JOIN standing_match_days d USING (settlement_id)
 WHERE s.bill_date >= $1
 ORDER BY s.account, s.bill_date
