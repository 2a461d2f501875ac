-- A paper of a signed run; no row when none is kept.
SELECT content FROM signed_papers WHERE run_id = $1 AND form = $2
