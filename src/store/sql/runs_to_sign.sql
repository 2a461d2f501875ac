-- Locks a run and reads what is signed of it: how far it is, the digest of what its papers are made of, whether its journal
-- still has the head that they name, and whether its day has a later version among the account's merchants ($2); no row when it
-- is unknown.
SELECT r.sign_off, r.status, r.merchant_id, r.bill_date, r.version, sha256(convert_to(r.report::text, 'UTF8')) AS report_sha256,
       COALESCE(r.journal_seq, 0) = 0 OR EXISTS (
           SELECT FROM journal_entries e
            WHERE e.merchant_id = r.merchant_id AND e.seq = r.journal_seq AND e.mac = r.journal_mac) AS has_head,
       EXISTS (SELECT FROM runs n
                WHERE n.merchant_id = ANY ($2) AND n.bill_date = r.bill_date AND n.version > r.version) AS is_overtaken
  FROM runs r WHERE r.run_id = $1
   FOR UPDATE OF r
