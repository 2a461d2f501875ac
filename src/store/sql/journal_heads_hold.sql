-- Locks the heads of merchants' journals that are there, in the order of their ids; always last of all locks. No row for a
-- merchant without one; a last entry behind its head is a head that was lost.
SELECT head.merchant_id, head.seq, head.mac,
       COALESCE((SELECT max(e.seq) FROM journal_entries e WHERE e.merchant_id = head.merchant_id), 0) AS last_seq
  FROM journal_heads head
 WHERE head.merchant_id = ANY ($1)
 ORDER BY head.merchant_id
   FOR UPDATE
