-- Runs as JSON, in the order of their ids; no row for an id that is not there.
SELECT jsonb_build_object(
    'id', r.run_id, 'merchant_id', r.merchant_id, 'date', r.bill_date, 'version', r.version, 'status', r.status,
    'sign_off', r.sign_off, 'tries', r.tries, 'damaged', r.damaged, 'failure', r.failure, 'lease', r.lease, 'refetch', r.refetch, 'next_at', r.next_at, 'started_at', r.started_at,
    'finished_at', r.finished_at, 'summary', r.summary, 'bill_sha256', encode(b.sha256, 'hex'), 'fetched_at', b.fetched_at)
  FROM runs r LEFT JOIN bill_files b USING (bill_file_id)
 WHERE r.run_id = ANY ($1)
 ORDER BY r.run_id
