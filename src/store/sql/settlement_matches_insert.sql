-- Writes that a credit is the settlement of some bill days, with what of it is which merchant's; always one row.
WITH written AS (
    INSERT INTO settlement_matches (match_id, bank_serial, amount_fen, expected_fen, difference_fen, cause, claimed_by, confirmed_by, reason, matched_at, turn)
    SELECT $1, $2, $3, $4, $3::bigint - $4::bigint, $5, $6, $7, $8, $9, count(*) + 1 FROM settlement_matches m WHERE m.bank_serial = $2
    RETURNING match_id
), days AS (
    INSERT INTO settlement_match_days (settlement_id, match_id, turn)
    SELECT s, $1, (SELECT count(*) + 1 FROM settlement_match_days d WHERE d.settlement_id = s) FROM unnest($10::text[]) AS s
), shares AS (
    INSERT INTO settlement_match_shares (match_id, merchant_id, amount_fen)
    SELECT $1, merchant_id, amount_fen FROM unnest($11::text[], $12::bigint[]) AS s (merchant_id, amount_fen)
), decided AS (
    DELETE FROM bank_proposals WHERE bank_serial = $2
)
SELECT match_id FROM written
