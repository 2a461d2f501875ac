-- Every journal's head; no row before the first payment.
SELECT merchant_id, seq, mac FROM journal_heads ORDER BY merchant_id
