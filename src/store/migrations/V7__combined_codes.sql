-- What V3 gave to orders, for combined ones: placed_at is when pay was given, because codes live shorter than orders;
-- payer_index says, unreadably, whom it was made for.
ALTER TABLE combined_orders ADD COLUMN placed_at timestamptz, ADD COLUMN payer_index bytea;
