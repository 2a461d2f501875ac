-- Signs a run that is as far as $2 says, and says how far it is then; no row when it is elsewhere, or its day has a later
-- version among the account's merchants ($9).
WITH moved AS (
    UPDATE runs r SET sign_off = $3
     WHERE r.run_id = $1 AND r.sign_off = $2
       AND NOT EXISTS (SELECT FROM runs n
                        WHERE n.merchant_id = ANY ($9) AND n.bill_date = r.bill_date AND n.version > r.version)
    RETURNING r.run_id
)
INSERT INTO run_signatures (run_id, position, event, "by", reason, report_sha256, signed_at)
SELECT run_id, (SELECT COALESCE(max(position), 0) + 1 FROM run_signatures s WHERE s.run_id = $1), $4, $5, $6, $7, $8
  FROM moved
RETURNING position
