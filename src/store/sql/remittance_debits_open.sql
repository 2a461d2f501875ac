-- Money that left the bank since a day ($1) and is no remittance yet; no row when all is.
SELECT b.bank_serial, b.value_date, b.amount_fen, b.reference
  FROM bank_lines b
 WHERE b.direction = 'out' AND b.value_date >= $1
   AND NOT EXISTS (SELECT FROM remittance_debits d WHERE d.bank_serial = b.bank_serial)
 ORDER BY b.value_date, b.bank_serial
