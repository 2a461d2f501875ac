-- The last day of which the bank has told anything; NULL before the first statement. Always one row.
SELECT max(value_date) AS reach FROM bank_lines
