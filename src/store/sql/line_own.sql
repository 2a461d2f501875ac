-- The number by which this connection's own words are known; always one row.
SELECT pg_backend_pid()
