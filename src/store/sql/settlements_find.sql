-- What is expected of an account's bill day, and whether it has arrived; no row when no run has said so yet.
SELECT s.settlement_id, s.payments_fen, s.refunds_fen, s.fee_fen, d.match_id IS NOT NULL AS has_arrived
  FROM settlements s LEFT JOIN settlement_match_days d USING (settlement_id)
 WHERE s.account = $1 AND s.bill_date = $2
