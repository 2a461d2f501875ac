-- Writes what is proposed for credits that may be payers'; always one row.
WITH written AS (
    INSERT INTO payer_proposals (bank_serial, candidates)
    SELECT bank_serial, candidates FROM jsonb_to_recordset($1::jsonb) AS p (bank_serial text, candidates jsonb)
    ON CONFLICT (bank_serial) DO UPDATE SET candidates = excluded.candidates
)
SELECT 1
