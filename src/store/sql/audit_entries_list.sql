-- Entries of the audit trail behind a number, about one subject where $2 is given; no row at the end.
SELECT seq, at, "by", action, subject, data, mac FROM audit_entries
 WHERE seq > $1 AND ($2::text IS NULL OR subject = $2)
 ORDER BY seq LIMIT $3
