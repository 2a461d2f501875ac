-- The match of a credit that counts, with whether two people agreed to it, and its bill days; no row when the credit is not matched.
SELECT m.match_id, m.matched_at, m.confirmed_by IS NOT NULL AS is_of_two,
       ARRAY(SELECT d.settlement_id FROM settlement_match_days d WHERE d.match_id = m.match_id ORDER BY 1) AS days
  FROM standing_matches m WHERE m.bank_serial = $1
