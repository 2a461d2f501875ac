-- The outbox is read a receiver at a time in the order of what is due, and the number settles what is due together:
-- without it in the index, a claim would sort everything that waits. A lease is written in place where its page has
-- room, so pages are filled to half only.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (receiver, next_at, delivery_id) WHERE state IN ('due', 'sending', 'querying');
ALTER TABLE deliveries SET (fillfactor = 60);
