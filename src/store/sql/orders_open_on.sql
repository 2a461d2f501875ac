-- Whether an account has orders that are not paid and could be from $2 until $3; always one row.
SELECT EXISTS (SELECT FROM orders WHERE merchant_id = ANY ($1) AND state <> 'paid' AND created_at < $3 AND expires_at >= $2)
