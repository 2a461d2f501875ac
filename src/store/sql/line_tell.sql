-- Tells the hubs that listen; always one row.
SELECT pg_notify('payhub', $1)
