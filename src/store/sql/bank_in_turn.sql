-- Lets whatever matches money at the bank happen one after the other, until the transaction ends; always one row.
SELECT pg_advisory_xact_lock(hashtextextended('bank', 0))
