-- Decides doubts, or notes how many files they have waited for ($1 is the run); no row for one that another day decided.
UPDATE doubts d SET state = n.state, files_waited = n.files_waited, difference_id = CASE n.state WHEN 'promoted' THEN COALESCE(n.difference_id, d.difference_id) END,
                    resolved_by_run = CASE WHEN n.state = 'open' THEN NULL ELSE $1 END
  FROM jsonb_to_recordset($2::jsonb) AS n (id text, state text, files_waited integer, difference_id text)
 WHERE d.doubt_id = n.id
   AND (d.state = 'open'
        OR d.resolved_by_run IN (SELECT o.run_id FROM runs o JOIN runs r USING (bill_date) WHERE r.run_id = $1))
RETURNING d.doubt_id
