-- Bank lines behind a serial with all that they say, and the digest of what they said when they were booked; no row behind the last.
SELECT bank_serial, value_date, direction, amount_fen, reference, counter, digest
  FROM bank_lines WHERE bank_serial > $1 ORDER BY bank_serial LIMIT $2
