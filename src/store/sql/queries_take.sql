-- Takes one query of a merchant's second; 0 when they are spent, or those ($4, of $3 in all) that the asker may use. Always
-- one row.
SELECT take_queries($1, $2, $3, $4, $5, 1) AS granted
