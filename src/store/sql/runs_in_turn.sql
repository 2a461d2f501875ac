-- Lets the runs of an account end one after the other, until the transaction does; always one row.
SELECT pg_advisory_xact_lock(hashtextextended('runs:' || $1::text, 0))
