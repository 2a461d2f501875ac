-- Who said that a credit is just these settlements, with this difference, in order; no row when nobody did.
SELECT "by", reason FROM settlement_claims
 WHERE bank_serial = $1 AND settlements = ARRAY(SELECT DISTINCT unnest($2::text[]) ORDER BY 1)
   AND difference_fen = $3
 ORDER BY position
