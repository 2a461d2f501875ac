-- Writes a bank statement with its new lines; always one row.
WITH statement AS (
    INSERT INTO bank_statements (statement_id, application_id, sha256, rows, known, in_fen, out_fen, imported_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    RETURNING statement_id
), lines AS (
    INSERT INTO bank_lines (bank_serial, statement_id, row, value_date, direction, amount_fen, reference, counter, digest)
    SELECT bank_serial, $1, row, value_date, direction, amount_fen, reference, counter, digest
      FROM unnest($9::text[], $10::integer[], $11::date[], $12::text[], $13::bigint[], $14::text[], $15::bytea[], $16::bytea[])
           AS l (bank_serial, row, value_date, direction, amount_fen, reference, counter, digest)
)
SELECT statement_id FROM statement
