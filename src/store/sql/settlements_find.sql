-- What is expected of an account's bill day by the newest version of its run, and whether it has arrived; no row when no run has
-- said so yet.
SELECT s.settlement_id, COALESCE(r.payments_fen, s.payments_fen) AS payments_fen, COALESCE(r.refunds_fen, s.refunds_fen) AS refunds_fen,
       COALESCE(r.fee_fen, s.fee_fen) AS fee_fen, m.match_id IS NOT NULL AS has_arrived
  FROM settlements s
       LEFT JOIN standing_match_days d USING (settlement_id)
       LEFT JOIN standing_matches m USING (match_id)
       LEFT JOIN LATERAL (SELECT * FROM settlement_revisions v WHERE v.settlement_id = s.settlement_id AND v.made_at >= m.matched_at
                           ORDER BY v.position DESC LIMIT 1) r ON true
 WHERE s.account = $1 AND s.bill_date = $2
