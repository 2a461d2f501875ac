-- Gives a user who is not disabled another password; no row when there is none.
UPDATE users SET password_hash = $2 WHERE folded = $1 AND disabled_at IS NULL RETURNING name
