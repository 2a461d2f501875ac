-- Has a day wait for its fund flow bill, until $3 ($4 says why); always one row.
INSERT INTO fund_bill_waits (merchant_id, bill_date, next_at, why) VALUES ($1, $2, $3, $4)
ON CONFLICT ON CONSTRAINT a_day_waits_once_for_its_fund_flow_bill
DO UPDATE SET next_at = EXCLUDED.next_at, why = EXCLUDED.why, tries = fund_bill_waits.tries + 1, leased_until = NULL
RETURNING tries
