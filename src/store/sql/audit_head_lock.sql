-- Locks the head of the audit trail, the last of all locks; always one row. A last entry behind it is a head that was changed.
SELECT seq, mac, seal, COALESCE((SELECT max(e.seq) FROM audit_entries e), 0) AS last_seq FROM audit_heads FOR UPDATE
