-- Issues a fee with its empty balance; always one row.
WITH fee AS (
    INSERT INTO fees (fee_id, application_id, case_no, accepted_on, total_fen, quote, payer_masked, payer_sealed,
                      phone_sealed, phone_index, locale, department, due_on, notice_no, issued_at, payer_account)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    RETURNING fee_id, total_fen
)
INSERT INTO fee_balances (fee_id, total_fen) SELECT fee_id, total_fen FROM fee RETURNING fee_id
