-- Decides doubts, or notes how many files they have waited for ($1 is the run); no row for one that was decided before.
UPDATE doubts d SET state = n.state, files_waited = n.files_waited, difference_id = n.difference_id,
                    resolved_by_run = CASE WHEN n.state = 'open' THEN NULL ELSE $1 END
  FROM jsonb_to_recordset($2::jsonb) AS n (id text, state text, files_waited integer, difference_id text)
 WHERE d.doubt_id = n.id AND d.state = 'open'
RETURNING d.doubt_id
