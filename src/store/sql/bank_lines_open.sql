-- Credits since a day that are not matched, with whether people took a match of one back; no row when all are matched.
SELECT b.bank_serial, b.value_date, b.amount_fen, b.reference,
       EXISTS (SELECT FROM settlement_matches m WHERE m.bank_serial = b.bank_serial) AS is_taken_back
  FROM bank_lines b
 WHERE b.direction = 'in' AND b.value_date >= $1
   AND NOT EXISTS (SELECT FROM standing_matches m WHERE m.bank_serial = b.bank_serial)
   AND NOT EXISTS (SELECT FROM payer_match_credits c WHERE c.bank_serial = b.bank_serial)
 ORDER BY b.value_date, b.bank_serial
