-- Every user, by name; no row before the first.
SELECT name, roles, password_hash, created_at, disabled_at FROM users ORDER BY name
