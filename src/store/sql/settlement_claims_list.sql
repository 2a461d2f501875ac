-- Who said that a credit is just these settlements, with this difference, since no match of it was taken back, in order; no row when
-- nobody did.
SELECT "by", reason FROM settlement_claims
 WHERE bank_serial = $1 AND settlements = ARRAY(SELECT DISTINCT unnest($2::text[]) ORDER BY 1)
   AND difference_fen = $3
   AND turn = (SELECT count(*) + 1 FROM settlement_matches m WHERE m.bank_serial = $1)
 ORDER BY position
