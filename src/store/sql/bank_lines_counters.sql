-- Who stands on the other side of bank lines ($1), sealed; no row for one that is not there.
SELECT bank_serial, counter FROM bank_lines WHERE bank_serial = ANY ($1)
