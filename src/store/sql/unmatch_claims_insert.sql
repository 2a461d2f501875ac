-- Writes that a person asks to take a match back; always one row.
INSERT INTO unmatch_claims (match_id, position, "by", reason, claimed_at)
SELECT $1, COALESCE(max(c.position), 0) + 1, $2, $3, $4 FROM unmatch_claims c WHERE c.match_id = $1
RETURNING position
