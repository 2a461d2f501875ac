-- Writes that some credits pay some statements; always one row.
WITH match AS (
    INSERT INTO payer_matches (match_id, claimed_by, reason, matched_at) VALUES ($1, $2, $3, $4)
    RETURNING match_id
), credits AS (
    INSERT INTO payer_match_credits (bank_serial, match_id, order_id)
    SELECT bank_serial, $1, order_id FROM unnest($5::text[], $6::text[]) AS c (bank_serial, order_id)
), statements AS (
    INSERT INTO payer_match_statements (statement_id, match_id) SELECT statement_id, $1 FROM unnest($7::text[]) AS s (statement_id)
)
SELECT match_id FROM match
