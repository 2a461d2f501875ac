-- The doubts of an account that a run of the day $2 decides, as JSON: those of other days that are open, and those that an
-- earlier run of this day decided, unless people ended the difference that one became, or another day's run did; no row when
-- there is none.
SELECT DISTINCT ON (d.fingerprint)
       jsonb_build_object('id', d.doubt_id, 'day', r.bill_date, 'state', d.state, 'fingerprint', d.fingerprint, 'finding', d.finding)
  FROM doubts d JOIN runs r USING (run_id)
       LEFT JOIN runs decided ON decided.run_id = d.resolved_by_run
       LEFT JOIN differences f ON f.difference_id = d.difference_id
       LEFT JOIN runs closed ON closed.run_id = f.closed_run
 WHERE r.merchant_id = ANY ($1) AND r.bill_date <> $2 AND r.bill_date <= $2::date + 1
   AND (d.state = 'open'
        OR (d.state IN ('matched', 'answered') AND decided.bill_date = $2)
        OR (d.state = 'promoted' AND decided.bill_date = $2 AND f.status NOT IN ('resolved', 'written_off')
            AND (f.status <> 'cleared' OR closed.bill_date = $2)))
 ORDER BY d.fingerprint, d.state <> 'open', d.doubt_id DESC
