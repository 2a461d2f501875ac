-- What many hubs, and a database that moves house, need.

-- Transaction numbers order the feed, and belong to one cluster: a database that was restored into a younger one begins
-- a new epoch, behind everything that it brought with it.
CREATE TABLE feed_epochs (
    epoch    integer PRIMARY KEY,
    begun_at timestamptz NOT NULL
);
INSERT INTO feed_epochs (epoch, begun_at) VALUES (1, clock_timestamp());
ALTER TABLE events ADD COLUMN epoch integer NOT NULL DEFAULT 1;
CREATE INDEX events_by_epoch ON events (epoch, transaction_id, position);
DROP INDEX events_in_order;

-- The oldest program, by the newest migration that it brings, that can work with this schema. A migration that breaks
-- older ones raises it; all others leave old hubs at work while new ones take their places.
CREATE TABLE schema_needs (
    one   boolean PRIMARY KEY DEFAULT true CONSTRAINT the_schema_has_one_need CHECK (one),
    least integer NOT NULL
);
INSERT INTO schema_needs (least) VALUES (14);

-- An incident about an application's endpoint is that application's and no merchant's. What was closed and happened
-- again is open again; earlier keeps when and how it had been closed before.
ALTER TABLE incidents
    ALTER COLUMN merchant_id DROP NOT NULL,
    ADD COLUMN application_id text REFERENCES applications,
    ADD COLUMN earlier jsonb NOT NULL DEFAULT '[]';
UPDATE incidents SET application_id = merchant_id, merchant_id = NULL
 WHERE kind IN ('endpoint_gone', 'endpoint_disabled') AND merchant_id IN (SELECT application_id FROM applications);
ALTER TABLE incidents
    ADD CONSTRAINT an_incident_is_a_merchants_or_an_applications CHECK (num_nonnulls(merchant_id, application_id) = 1);

-- A run's lease grows with each claim, so that a hub that lost it writes nothing.
ALTER TABLE runs ADD COLUMN lease bigint NOT NULL DEFAULT 0;

-- Dead letters are counted for each receiver.
CREATE INDEX deliveries_dead_by_receiver ON deliveries (receiver) WHERE state = 'dead';
