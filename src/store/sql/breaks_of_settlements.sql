-- Where arrivals disagree with the bank's lines, with what was expected, with who agreed to them and with their entries, a sentence
-- a row; no row when they agree.
WITH claimed AS (
    -- How many people say just what a match says. Spaces and large letters make no other person of a name.
    SELECT m.match_id, count(DISTINCT lower(regexp_replace(c."by", '\s', '', 'g'))) AS people,
           bool_or(c."by" = m.claimed_by) AS has_first, bool_or(c."by" = m.confirmed_by) AS has_second
      FROM settlement_matches m
           LEFT JOIN settlement_claims c ON c.bank_serial = m.bank_serial AND c.turn = m.turn AND c.difference_fen = m.difference_fen
                 AND c.settlements = ARRAY(SELECT d.settlement_id FROM settlement_match_days d WHERE d.match_id = m.match_id ORDER BY 1)
     GROUP BY m.match_id
), taken_back AS (
    SELECT u.match_id, u."by", count(DISTINCT lower(regexp_replace(c."by", '\s', '', 'g'))) AS people, bool_or(c."by" = u."by") AS has_last
      FROM settlement_unmatches u LEFT JOIN unmatch_claims c USING (match_id) GROUP BY u.match_id, u."by"
)
SELECT format('match %s books %s fen, line %s brought %s', m.match_id, m.shares, m.bank_serial, b.amount_fen) AS break
  FROM (SELECT m.match_id, m.bank_serial, m.amount_fen, COALESCE(sum(s.amount_fen), 0) AS shares
          FROM settlement_matches m LEFT JOIN settlement_match_shares s USING (match_id) GROUP BY m.match_id) m
       LEFT JOIN bank_lines b ON b.bank_serial = m.bank_serial AND b.direction = 'in'
 WHERE b.amount_fen IS DISTINCT FROM m.shares OR m.amount_fen <> m.shares
UNION ALL
-- What was taken back may be expected otherwise since then.
SELECT format('match %s expected %s fen, its settlements are %s', m.match_id, m.expected_fen, COALESCE(sum(s.net_fen), 0))
  FROM standing_matches m LEFT JOIN settlement_match_days d USING (match_id) LEFT JOIN settlements s USING (settlement_id)
 GROUP BY m.match_id, m.expected_fen HAVING m.expected_fen <> COALESCE(sum(s.net_fen), 0)
UNION ALL
SELECT format('match %s is %s fen apart, %s came and %s was expected', match_id, difference_fen, amount_fen, expected_fen)
  FROM settlement_matches WHERE difference_fen <> amount_fen - expected_fen OR (difference_fen = 0) <> (cause IS NULL)
UNION ALL
SELECT format('match %s has no bill day', m.match_id)
  FROM settlement_matches m WHERE NOT EXISTS (SELECT FROM settlement_match_days d WHERE d.match_id = m.match_id)
UNION ALL
SELECT format('bank line %s is matched %s times at once', bank_serial, count(*)) FROM standing_matches GROUP BY bank_serial HAVING count(*) > 1
UNION ALL
SELECT format('settlement %s arrived %s times at once', settlement_id, count(*))
  FROM standing_match_days GROUP BY settlement_id HAVING count(*) > 1
UNION ALL
SELECT format('bank line %s is %s remittances', bank_serial, count(*)) FROM remittance_debits GROUP BY bank_serial HAVING count(*) > 1
UNION ALL
SELECT format('match %s: %s people agreed to it, it says %s and %s', m.match_id, c.people, COALESCE(m.claimed_by, 'nobody'),
              COALESCE(m.confirmed_by, 'nobody'))
  FROM settlement_matches m JOIN claimed c USING (match_id)
 WHERE m.claimed_by IS NOT NULL AND c.has_first IS NOT TRUE OR m.confirmed_by IS NOT NULL AND c.has_second IS NOT TRUE
    OR c.people < CASE WHEN m.difference_fen <> 0 THEN 2 ELSE 0 END
    OR m.confirmed_by IS NOT NULL AND m.claimed_by IS NULL
UNION ALL
SELECT format('match %s was taken back by %s, and %s people asked for it', t.match_id, t."by", t.people)
  FROM taken_back t JOIN settlement_matches m USING (match_id)
 WHERE t.has_last IS NOT TRUE OR t.people < CASE WHEN m.confirmed_by IS NULL THEN 1 ELSE 2 END
UNION ALL
SELECT format('settlement %s is %s fen, its shares are %s', s.settlement_id, s.net_fen, COALESCE(sum(h.net_fen), 0))
  FROM settlements s LEFT JOIN settlement_shares h USING (settlement_id)
 GROUP BY s.settlement_id HAVING s.net_fen <> COALESCE(sum(h.net_fen), 0)
UNION ALL
SELECT format('bank statement %s has %s new rows, %s are booked', s.statement_id, s.rows - s.known, count(b.bank_serial))
  FROM bank_statements s LEFT JOIN bank_lines b USING (statement_id)
 GROUP BY s.statement_id HAVING s.rows - s.known <> count(b.bank_serial)
UNION ALL
SELECT format('remittance %s is %s fen, bank line %s took %s', m.remittance_id, m.amount_fen, d.bank_serial, b.amount_fen)
  FROM remittance_debits d JOIN remittances m USING (remittance_id) LEFT JOIN bank_lines b ON b.bank_serial = d.bank_serial AND b.direction = 'out'
 WHERE b.amount_fen IS DISTINCT FROM m.amount_fen
UNION ALL
-- One entry in the journal of each merchant of whose money it was, the right way round, as of its day in Beijing.
SELECT format('match %s has %s entries in the journal of %s that say so', h.match_id, count(e.seq), h.merchant_id)
  FROM settlement_match_shares h JOIN settlement_matches m USING (match_id) JOIN bank_lines b USING (bank_serial)
       LEFT JOIN (journal_entries e JOIN journal_lines l USING (merchant_id, seq))
              ON e.subject_id = h.match_id AND e.merchant_id = h.merchant_id
             AND e.occurred_at = b.value_date::timestamp AT TIME ZONE interval '8 hours'
             AND (e.kind, l.debit, l.credit) IN (VALUES
                 (CASE WHEN h.amount_fen > 0 THEN 'provider_settled' END, 'collecting_account', 'provider_clearing'),
                 (CASE WHEN h.amount_fen < 0 THEN 'settlement_netted' END, 'provider_clearing', 'collecting_account'))
 GROUP BY h.match_id, h.merchant_id HAVING count(e.seq) <> 1
UNION ALL
-- And one that takes it back, where the match was taken back.
SELECT format('match %s has %s entries in the journal of %s that take it back', h.match_id, count(e.seq), h.merchant_id)
  FROM settlement_match_shares h LEFT JOIN settlement_unmatches u USING (match_id)
       LEFT JOIN (journal_entries e JOIN journal_lines l USING (merchant_id, seq))
              ON e.subject_id = h.match_id AND e.merchant_id = h.merchant_id
             AND (e.kind, l.debit, l.credit) IN (VALUES
                 (CASE WHEN h.amount_fen > 0 THEN 'arrival_taken_back' END, 'provider_clearing', 'collecting_account'),
                 (CASE WHEN h.amount_fen < 0 THEN 'netting_taken_back' END, 'collecting_account', 'provider_clearing'))
 GROUP BY h.match_id, h.merchant_id, u.match_id HAVING count(e.seq) <> CASE WHEN u.match_id IS NULL THEN 0 ELSE 1 END
UNION ALL
-- What people said of a credit stands on the trail as often as it is on record.
SELECT format('bank line %s: %s said %s times what it is, the audit trail has %s', s.bank_serial, s."by", sum(s.said), sum(s.acted))
  FROM (SELECT bank_serial, "by", 1 AS said, 0 AS acted FROM settlement_claims
        UNION ALL
        SELECT subject, "by", 0, 1 FROM audit_entries WHERE action = 'settlement.confirmed') s
 GROUP BY s.bank_serial, s."by" HAVING sum(s.said) <> sum(s.acted)
UNION ALL
SELECT format('bank line %s: %s asked %s times to take its match back, the audit trail has %s', s.bank_serial, s."by", sum(s.said), sum(s.acted))
  FROM (SELECT m.bank_serial, c."by", 1 AS said, 0 AS acted FROM unmatch_claims c JOIN settlement_matches m USING (match_id)
        UNION ALL
        SELECT subject, "by", 0, 1 FROM audit_entries WHERE action IN ('settlement.unmatch_asked', 'settlement.unmatched')) s
 GROUP BY s.bank_serial, s."by" HAVING sum(s.said) <> sum(s.acted)
