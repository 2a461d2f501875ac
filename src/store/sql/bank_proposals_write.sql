-- Writes what is proposed for credits; always one row.
WITH written AS (
    INSERT INTO bank_proposals (bank_serial, candidates, is_whole)
    SELECT bank_serial, candidates, is_whole
      FROM jsonb_to_recordset($1::jsonb) AS p (bank_serial text, candidates jsonb, is_whole boolean)
    ON CONFLICT (bank_serial) DO UPDATE SET candidates = excluded.candidates, is_whole = excluded.is_whole
)
SELECT 1
