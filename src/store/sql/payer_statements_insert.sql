-- Writes the statement of a payer's month with its lines; always one row.
WITH statement AS (
    INSERT INTO payer_statements (statement_id, number, account, account_name, application_id, period, total_fen, due_on, made_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    RETURNING statement_id
), lines AS (
    INSERT INTO payer_statement_lines (statement_id, position, fee_id, kind, amount_fen)
    SELECT $1, position, fee_id, kind, amount_fen
      FROM unnest($10::text[], $11::text[], $12::bigint[]) WITH ORDINALITY AS l (fee_id, kind, amount_fen, position)
)
SELECT statement_id FROM statement
