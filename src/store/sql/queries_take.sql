-- Takes one query of a merchant's second; 0 when they are spent. Always one row.
SELECT take_queries($1, $2, $3, 1) AS granted
