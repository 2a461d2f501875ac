-- Writes a remittance down with its shares; always one row.
WITH remittance AS (
    INSERT INTO remittances (remittance_id, application_id, reference, remitted_on, amount_fen, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    RETURNING remittance_id
), shares AS (
    INSERT INTO remittance_shares (remittance_id, payment_id, fee_id, amount_fen)
    SELECT $1, payment_id, fee_id, amount_fen
      FROM unnest($7::text[], $8::text[], $9::bigint[]) AS s (payment_id, fee_id, amount_fen)
)
SELECT remittance_id FROM remittance
