-- Lets the statements of a proof take as long as the books are large; never a row.
SET LOCAL statement_timeout = 0
