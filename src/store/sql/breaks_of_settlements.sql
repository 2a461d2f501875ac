-- Where arrivals disagree with the bank's lines, with what was expected and with their entries, a sentence a row; no row when
-- they agree.
SELECT format('match %s books %s fen, line %s brought %s', m.match_id, m.shares, m.bank_serial, b.amount_fen) AS break
  FROM (SELECT m.match_id, m.bank_serial, m.amount_fen, COALESCE(sum(s.amount_fen), 0) AS shares
          FROM settlement_matches m LEFT JOIN settlement_match_shares s USING (match_id) GROUP BY m.match_id) m
       LEFT JOIN bank_lines b ON b.bank_serial = m.bank_serial AND b.direction = 'in'
 WHERE b.amount_fen IS DISTINCT FROM m.shares OR m.amount_fen <> m.shares
UNION ALL
SELECT format('match %s expected %s fen, its settlements are %s', m.match_id, m.expected_fen, COALESCE(sum(s.net_fen), 0))
  FROM settlement_matches m LEFT JOIN settlement_match_days d USING (match_id) LEFT JOIN settlements s USING (settlement_id)
 GROUP BY m.match_id HAVING m.expected_fen <> COALESCE(sum(s.net_fen), 0)
UNION ALL
SELECT format('settlement %s is %s fen, its shares are %s', s.settlement_id, s.net_fen, COALESCE(sum(h.net_fen), 0))
  FROM settlements s LEFT JOIN settlement_shares h USING (settlement_id)
 GROUP BY s.settlement_id HAVING s.net_fen <> COALESCE(sum(h.net_fen), 0)
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
