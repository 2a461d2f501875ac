-- A user by a name without spaces and large letters; no row for an unknown one.
SELECT name, roles, password_hash, created_at, disabled_at FROM users WHERE folded = $1
