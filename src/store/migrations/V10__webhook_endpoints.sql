-- What an endpoint is beyond its address. It is disabled by hand or by the hub, and then its deliveries wait where they
-- are; concurrency is how many of them may be under way at once. While a secret is exchanged both sign:
-- webhook_previous_until says how long, and is null for a file that names both. webhook_key (sealed) and
-- webhook_public_key sign v1a. The times of success and failure are kept to the minute, so that a busy endpoint does
-- not rewrite its row for every event.
ALTER TABLE applications
    ADD COLUMN concurrency integer NOT NULL DEFAULT 4 CONSTRAINT an_endpoint_takes_one_to_64_at_once CHECK (concurrency BETWEEN 1 AND 64),
    ADD COLUMN webhook_since timestamptz,
    ADD COLUMN webhook_disabled_at timestamptz,
    ADD COLUMN webhook_disabled_by text,
    ADD COLUMN webhook_previous_secret bytea,
    ADD COLUMN webhook_previous_until timestamptz,
    ADD COLUMN webhook_key bytea,
    ADD COLUMN webhook_public_key bytea,
    ADD COLUMN webhook_failing_since timestamptz,
    ADD COLUMN webhook_success_at timestamptz,
    ADD COLUMN webhook_failure_at timestamptz,
    ADD COLUMN webhook_failure text,
    ADD CONSTRAINT a_disabled_endpoint_says_by_whom CHECK ((webhook_disabled_at IS NULL) = (webhook_disabled_by IS NULL)),
    ADD CONSTRAINT an_endpoint_is_disabled_by_hand_or_for_failing CHECK (webhook_disabled_by IN ('hand', 'failing')),
    ADD CONSTRAINT a_key_pair_has_both_its_keys CHECK ((webhook_key IS NULL) = (webhook_public_key IS NULL));
UPDATE applications SET webhook_since = created_at WHERE webhook_url IS NOT NULL;

-- How the receiver answered, and after how long.
ALTER TABLE delivery_attempts ADD COLUMN status integer, ADD COLUMN took_ms integer;

-- A backend reads its own deliveries, and an operator its dead letters.
CREATE INDEX deliveries_of_application ON deliveries (receiver, delivery_id) WHERE kind = 'webhook';
CREATE INDEX deliveries_dead_of_application ON deliveries (receiver, delivery_id) WHERE kind = 'webhook' AND state = 'dead';
