-- Locks a run and reads what is signed of it: how far it is, the digest of what its papers are made of, whether its journal
-- still has the head that they name, and whether its day has a later version among the account's merchants ($2); no row when it
-- is unknown.
SELECT r.sign_off, r.status, sha256(convert_to(r.report::text, 'UTF8')) AS report_sha256,
       (COALESCE(r.journal_seq, 0) = 0 OR EXISTS (
           SELECT FROM journal_entries e
            WHERE e.merchant_id = r.merchant_id AND e.seq = r.journal_seq AND e.mac = r.journal_mac))
       -- Of several merchants of an account each head stands there: merchant:number:link.
       AND NOT EXISTS (
           SELECT FROM regexp_split_to_table(r.report ->> 'journal_head', ' ') AS head
            WHERE head LIKE '%:%:%' AND split_part(head, ':', 2) <> '0'
              AND NOT EXISTS (SELECT FROM journal_entries e
                               WHERE e.merchant_id = split_part(head, ':', 1) AND e.seq = split_part(head, ':', 2)::bigint
                                 AND encode(e.mac, 'hex') = split_part(head, ':', 3))) AS has_head,
       EXISTS (SELECT FROM runs n
                WHERE n.merchant_id = ANY ($2) AND n.bill_date = r.bill_date AND n.version > r.version) AS is_overtaken
  FROM runs r WHERE r.run_id = $1
   FOR UPDATE OF r
