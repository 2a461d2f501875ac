-- Which of some bank serials are on record, with what their rows said; no row when none is.
SELECT bank_serial, digest FROM bank_lines WHERE bank_serial = ANY ($1)
