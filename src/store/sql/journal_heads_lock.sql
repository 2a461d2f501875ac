-- Locks the heads of merchants' journals, in the order of their ids, making those that are missing; always last
-- of all locks. One row a merchant; a last entry behind its head is a head that was lost.
INSERT INTO journal_heads AS head (merchant_id, seq, mac)
SELECT merchant_id, 0, '\x' FROM unnest($1::text[]) AS m (merchant_id) ORDER BY merchant_id
ON CONFLICT (merchant_id) DO UPDATE SET seq = head.seq
RETURNING merchant_id, seq, mac,
          COALESCE((SELECT max(e.seq) FROM journal_entries e WHERE e.merchant_id = head.merchant_id), 0) AS last_seq
