-- What the audit trail says last of each user's password; no row for one of which it says nothing.
SELECT DISTINCT ON (subject) subject, data ->> 'password' AS password
  FROM audit_entries WHERE action IN ('user.added', 'user.password_changed')
 ORDER BY subject, seq DESC
