-- Makes the evidence partitions of the month of a day; always one row.
SELECT prepare_month(date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC')::date)
