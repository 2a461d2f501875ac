-- How many deliveries are due and not finished; always one row.
SELECT count(*) FROM deliveries WHERE state IN ('due', 'sending', 'querying') AND next_at <= $1
