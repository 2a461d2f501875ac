-- Makes a user; no row when the name is taken.
INSERT INTO users (name, folded, roles, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
RETURNING name
