-- Who signed a run, in order; no row when nobody did.
SELECT event, "by", reason, report_sha256, signed_at FROM run_signatures WHERE run_id = $1 ORDER BY position
