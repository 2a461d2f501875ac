-- The head of the audit trail; always one row.
SELECT seq, mac, seal FROM audit_heads
