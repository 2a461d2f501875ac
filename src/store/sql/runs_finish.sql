-- Ends a run with what it found; no row when it had ended or another hub took it over ($10 is the lease).
UPDATE runs SET status = $2, bill_file_id = $3, summary = $4, ledger = $5, report = $6, journal_seq = $7,
                journal_mac = $8, finished_at = $9, next_at = NULL, leased_until = NULL, failure = NULL
 WHERE run_id = $1 AND next_at IS NOT NULL AND lease = $10
RETURNING run_id
