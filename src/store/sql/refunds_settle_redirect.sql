-- A redirection is known to have come to nothing; no row when there is none of that instant any more.
UPDATE refunds SET redirected_at = NULL WHERE refund_id = $1 AND redirected_at = $2 RETURNING refund_id
