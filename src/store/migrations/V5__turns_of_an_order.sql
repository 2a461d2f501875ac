-- When the call that places an order last left for its provider: written before it leaves, so that whoever closes the order
-- knows that it may still be on its way there. closing_at, from the first day, is the same for taking an order at the counter
-- back: while that is under way no payment of the order is booked, and afterwards it is never placed again.
ALTER TABLE orders ADD COLUMN placing_at timestamptz;
