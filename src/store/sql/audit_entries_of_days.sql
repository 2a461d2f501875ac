-- Entries of the audit trail from one moment until before another; no row when nobody did anything.
SELECT seq, at, "by", action, subject, data, mac FROM audit_entries WHERE at >= $1 AND at < $2 ORDER BY seq
