-- The days that have no run, from the first run of an account's merchants (or $4 before the first) but not before $2,
-- until $3; no row when none is missing. An older day that was asked for by hand and has no bill is no first run.
SELECT day::date
  FROM generate_series(
       greatest($2::date, COALESCE((SELECT min(bill_date) FROM runs
                          WHERE merchant_id = ANY ($1) AND (bill_date >= $2 OR status IN ('balanced', 'unbalanced'))), $4::date))::timestamp,
       $3::date::timestamp, interval '1 day') AS days (day)
 WHERE NOT EXISTS (SELECT FROM runs WHERE merchant_id = ANY ($1) AND bill_date = day::date)
 ORDER BY day
