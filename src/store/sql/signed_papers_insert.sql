-- Keeps the papers of a run, form by form; one row each.
INSERT INTO signed_papers (run_id, form, content, sha256)
SELECT $1, p.form, p.content, sha256(p.content) FROM unnest($2::text[], $3::bytea[]) AS p (form, content)
RETURNING form
