-- What was tried for a delivery, in order, the last 200; no row before the first attempt.
SELECT * FROM (
       SELECT attempt, begun_at, took_ms, outcome, status, detail FROM delivery_attempts
        WHERE delivery_id = $1 ORDER BY begun_at DESC, attempt DESC LIMIT 200) AS newest
 ORDER BY begun_at, attempt
