-- Locks the case whose light may have changed longest ago; no row when none is due that nobody else looks at.
SELECT application_id, case_no FROM cases
 WHERE look_at <= $1
 ORDER BY look_at LIMIT 1
   FOR UPDATE SKIP LOCKED
