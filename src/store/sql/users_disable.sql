-- Disables a user; no row when there is none, or he was disabled before.
UPDATE users SET disabled_at = $2 WHERE folded = $1 AND disabled_at IS NULL RETURNING name
