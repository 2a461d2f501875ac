-- Writes that a person says which settlements a credit is; always one row.
INSERT INTO settlement_claims (bank_serial, position, settlements, "by", reason, claimed_at, difference_fen, turn)
SELECT $1, COALESCE(max(c.position), 0) + 1, ARRAY(SELECT DISTINCT unnest($2::text[]) ORDER BY 1), $3, $4, $5, $6,
       (SELECT count(*) + 1 FROM settlement_matches m WHERE m.bank_serial = $1)
  FROM settlement_claims c WHERE c.bank_serial = $1
RETURNING position
