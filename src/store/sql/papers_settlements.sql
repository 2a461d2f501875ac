-- The bill days of an account ($1) until $2 of which money is expected still, or has arrived since the bill day before it was
-- first reconciled for its merchants ($3), and the day itself; no row when nothing is expected of any.
SELECT s.settlement_id, s.bill_date
  FROM settlements s
       LEFT JOIN standing_match_days d USING (settlement_id)
       LEFT JOIN standing_matches m USING (match_id)
 WHERE s.account = $1 AND s.bill_date <= $2
   AND (s.bill_date = $2 OR (m.match_id IS NULL AND s.net_fen <> 0)
        -- A later version of the day's run expects other money than has arrived: until somebody ends that.
        OR s.net_fen <> (SELECT v.net_fen FROM settlement_revisions v WHERE v.settlement_id = s.settlement_id AND v.made_at >= m.matched_at
                          ORDER BY v.position DESC LIMIT 1)
        OR m.matched_at >= COALESCE((SELECT min(finished_at) FROM runs WHERE merchant_id = ANY ($3) AND bill_date =
               (SELECT max(bill_date) FROM runs WHERE merchant_id = ANY ($3) AND bill_date < $2 AND finished_at IS NOT NULL)), '-infinity'))
 ORDER BY s.bill_date
