-- Writes what is expected of an account's bill day, with what of it is which merchant's; always one row.
WITH settlement AS (
    INSERT INTO settlements (settlement_id, account, numbers, bill_date, run_id, payments_fen, refunds_fen, fee_fen, net_fen, due_on, made_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    RETURNING settlement_id
), shares AS (
    INSERT INTO settlement_shares (settlement_id, position, merchant_id, net_fen)
    SELECT $1, position, merchant_id, net_fen
      FROM unnest($12::text[], $13::bigint[]) WITH ORDINALITY AS s (merchant_id, net_fen, position)
)
SELECT settlement_id FROM settlement
