-- How many statements a month ($1) has, of all accounts, and the id of the one of an account ($2); always one row.
SELECT count(*) AS taken, max(statement_id) FILTER (WHERE account = $2) AS statement_id FROM payer_statements WHERE period = $1
