-- Adds entries ($1, with their links in $2 by index) to the audit trail, whose head is locked and moves on; always one row.
WITH entries AS (
    INSERT INTO audit_entries (seq, at, "by", action, subject, data, mac)
    SELECT e.seq, e.at, e."by", e.action, e.subject, e.data, ($2::bytea[])[e.link]
      FROM jsonb_to_recordset($1::jsonb)
           AS e (seq bigint, at timestamptz, "by" text, action text, subject text, data jsonb, link integer)
)
UPDATE audit_heads SET seq = $3, mac = $4, seal = $5 RETURNING seq
