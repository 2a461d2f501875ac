-- Writes that a match was taken back; always one row.
INSERT INTO settlement_unmatches (match_id, "by", reason, undone_at) VALUES ($1, $2, $3, $4) RETURNING match_id
