-- The newest expectation of some bill days that came after their money ($2); no row for one of which nothing else was said.
SELECT DISTINCT ON (settlement_id) settlement_id, run_id, payments_fen, refunds_fen, fee_fen, merchants, nets_fen
  FROM settlement_revisions WHERE settlement_id = ANY ($1) AND made_at >= $2
 ORDER BY settlement_id, position DESC
