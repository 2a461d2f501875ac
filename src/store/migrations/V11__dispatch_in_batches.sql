-- The outbox is read a receiver at a time in the order of what is due, and the number settles what is due together:
-- without it in the index, a claim would sort everything that waits. A lease is written in place where its page has
-- room, so pages are filled to half only, and what carries no message has no place in the index of messages.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (receiver, next_at, delivery_id) WHERE state IN ('due', 'sending', 'querying');
ALTER TABLE deliveries SET (fillfactor = 48);
ALTER TABLE deliveries DROP CONSTRAINT a_notification_is_delivered_once;
CREATE UNIQUE INDEX a_notification_is_delivered_once ON deliveries (notification_id) WHERE notification_id IS NOT NULL;

-- Whether an older one of its key stands in the way is asked of each delivery that a claim looks at: the key comes first.
DROP INDEX deliveries_in_order;
CREATE INDEX deliveries_in_order ON deliveries (ordering_key, receiver, delivery_id) WHERE state IN ('due', 'sending', 'querying');
