-- Every merchant with a journal, with entries or with a head alone; no row before the first payment.
SELECT merchant_id FROM journal_heads UNION SELECT merchant_id FROM journal_entries ORDER BY merchant_id
