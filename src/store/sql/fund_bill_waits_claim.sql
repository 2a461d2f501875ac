-- Leases the day that waits longest for its fund flow bill and is due; no row when none is. A day whose run has not ended is
-- not due: that run asks for it.
UPDATE fund_bill_waits w SET leased_until = clock_timestamp() + interval '10 minutes'
 WHERE (w.merchant_id, w.bill_date) IN (
       SELECT f.merchant_id, f.bill_date FROM fund_bill_waits f
        WHERE f.next_at <= $1 AND (f.leased_until IS NULL OR f.leased_until < clock_timestamp())
          AND NOT EXISTS (SELECT FROM runs r WHERE r.merchant_id = f.merchant_id AND r.bill_date = f.bill_date AND r.next_at IS NOT NULL)
        ORDER BY f.next_at LIMIT 1
          FOR UPDATE SKIP LOCKED)
RETURNING w.merchant_id, w.bill_date, w.tries
