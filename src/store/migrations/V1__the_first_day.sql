-- The first schema. Business time comes in as a parameter; only leases use the database's clock.
-- Every rule of money stands here once, as a constraint named by a sentence.

CREATE TABLE applications (
    application_id  text PRIMARY KEY,
    key_hash        bytea NOT NULL CONSTRAINT an_api_key_belongs_to_one_application UNIQUE,
    webhook_url     text,
    webhook_secret  bytea,
    webhook_events  text[] NOT NULL DEFAULT '{}',
    from_file       boolean NOT NULL,
    created_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    endpoint_gone_at timestamptz
);

-- Fees (应收登记费), frozen when issued. What happens to them afterwards is in fee_balances.
CREATE TABLE fees (
    fee_id           text PRIMARY KEY,
    application_id   text NOT NULL REFERENCES applications,
    case_no          text NOT NULL,
    accepted_on      date NOT NULL,
    total_fen        bigint NOT NULL CONSTRAINT a_fee_is_never_negative CHECK (total_fen BETWEEN 0 AND 10000000000),
    quote            jsonb NOT NULL,
    payer_masked     jsonb NOT NULL,
    payer_sealed     bytea NOT NULL,
    phone_sealed     bytea,
    phone_index      bytea,
    locale           text NOT NULL DEFAULT 'zh-CN',
    department       text,
    due_on           date,
    notice_no        text,
    issued_at        timestamptz NOT NULL
);
CREATE INDEX fees_by_case ON fees (application_id, case_no, fee_id);

CREATE TABLE fee_balances (
    fee_id        text PRIMARY KEY REFERENCES fees,
    total_fen     bigint NOT NULL,
    paid_fen      bigint NOT NULL DEFAULT 0,
    refunding_fen bigint NOT NULL DEFAULT 0,
    refunded_fen  bigint NOT NULL DEFAULT 0,
    voided_at     timestamptz,
    CONSTRAINT a_fee_is_never_paid_twice CHECK (paid_fen BETWEEN 0 AND total_fen),
    CONSTRAINT refunds_of_a_fee_never_exceed_what_was_paid CHECK (refunding_fen BETWEEN 0 AND paid_fen),
    CONSTRAINT a_fee_gives_back_only_what_refunds_hold CHECK (refunded_fen BETWEEN 0 AND refunding_fen),
    CONSTRAINT only_an_unpaid_fee_is_void CHECK (voided_at IS NULL OR paid_fen = 0)
);

-- Orders (支付单). place_call is sealed: it is stored before it is sent and repeated byte for byte.
CREATE TABLE orders (
    order_id          text PRIMARY KEY,
    application_id    text NOT NULL REFERENCES applications,
    merchant_id       text NOT NULL,
    provider          text NOT NULL CONSTRAINT an_order_has_a_known_provider CHECK (provider IN ('wechat', 'alipay')),
    product           text NOT NULL,
    out_trade_no      text NOT NULL,
    amount_fen        bigint NOT NULL CONSTRAINT an_order_is_between_one_fen_and_ten_to_the_ten CHECK (amount_fen BETWEEN 1 AND 10000000000),
    subject           text NOT NULL,
    state             text NOT NULL CONSTRAINT an_order_is_in_a_known_state CHECK (state IN ('created', 'pending', 'unknown', 'paid', 'closed', 'failed')),
    place_call        bytea NOT NULL,
    pay               jsonb,
    created_at        timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    paid_at           timestamptz,
    paid_late         boolean NOT NULL DEFAULT false,
    provider_trade_no text,
    closed_at         timestamptz,
    superseded_at     timestamptz,
    closing_at        timestamptz,
    refused_reason    text,
    refused_code      text,
    refused_message   text,
    next_query_at     timestamptz,
    queries           integer NOT NULL DEFAULT 0,
    leased_until      timestamptz,
    CONSTRAINT an_order_number_is_used_once UNIQUE (merchant_id, out_trade_no),
    CONSTRAINT a_paid_order_says_when CHECK ((state = 'paid') = (paid_at IS NOT NULL))
);
CREATE INDEX orders_to_query ON orders (merchant_id, next_query_at) WHERE next_query_at IS NOT NULL;
CREATE INDEX orders_by_day ON orders (merchant_id, created_at);

CREATE TABLE order_allocations (
    order_id   text NOT NULL REFERENCES orders,
    position   integer NOT NULL,
    fee_id     text NOT NULL REFERENCES fees,
    amount_fen bigint NOT NULL CONSTRAINT an_allocation_is_positive CHECK (amount_fen > 0),
    PRIMARY KEY (order_id, fee_id)
);
CREATE INDEX order_allocations_by_fee ON order_allocations (fee_id);

CREATE FUNCTION check_order_allocations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT amount_fen FROM orders WHERE order_id = NEW.order_id)
       IS DISTINCT FROM (SELECT sum(amount_fen) FROM order_allocations WHERE order_id = NEW.order_id)
    THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            CONSTRAINT = 'an_order_is_the_sum_of_its_allocations',
            MESSAGE = 'order ' || NEW.order_id || ' is not the sum of its allocations';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER an_order_is_the_sum_of_its_allocations
    AFTER INSERT ON order_allocations DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_order_allocations();

-- One row per fee that has an order which may still be paid.
CREATE TABLE live_orders (
    fee_id   text CONSTRAINT one_live_order_per_fee PRIMARY KEY REFERENCES fees,
    order_id text NOT NULL REFERENCES orders
);
CREATE INDEX live_orders_by_order ON live_orders (order_id);

-- Payments are facts: append-only.
CREATE TABLE payments (
    payment_id        text PRIMARY KEY,
    merchant_id       text NOT NULL,
    provider          text NOT NULL,
    provider_trade_no text NOT NULL,
    order_id          text NOT NULL REFERENCES orders,
    amount_fen        bigint NOT NULL CONSTRAINT a_payment_is_positive CHECK (amount_fen BETWEEN 1 AND 10000000000),
    coupon_fen        bigint NOT NULL CONSTRAINT a_coupon_is_part_of_its_payment CHECK (coupon_fen BETWEEN 0 AND amount_fen),
    surplus_fen       bigint NOT NULL CONSTRAINT a_surplus_is_part_of_its_payment CHECK (surplus_fen BETWEEN 0 AND amount_fen),
    late              boolean NOT NULL,
    paid_at           timestamptz NOT NULL,
    source            text NOT NULL CONSTRAINT a_payment_was_heard_of_somewhere CHECK (source IN ('callback', 'query', 'bill')),
    callback_id       text,
    recorded_at       timestamptz NOT NULL,
    CONSTRAINT one_payment_per_provider_trade_number UNIQUE (provider, provider_trade_no)
);
CREATE INDEX payments_by_order ON payments (order_id);
CREATE INDEX payments_by_day ON payments (merchant_id, paid_at);
CREATE INDEX payments_with_surplus ON payments (merchant_id, payment_id) WHERE surplus_fen > 0;

CREATE TABLE payment_shares (
    payment_id text NOT NULL REFERENCES payments,
    fee_id     text NOT NULL REFERENCES fees,
    amount_fen bigint NOT NULL CONSTRAINT a_share_is_positive CHECK (amount_fen > 0),
    PRIMARY KEY (payment_id, fee_id)
);

CREATE TABLE payment_balances (
    payment_id    text PRIMARY KEY REFERENCES payments,
    paid_fen      bigint NOT NULL,
    refunding_fen bigint NOT NULL DEFAULT 0,
    refunded_fen  bigint NOT NULL DEFAULT 0,
    surplus_fen   bigint NOT NULL,
    surplus_refunding_fen bigint NOT NULL DEFAULT 0,
    CONSTRAINT refunds_of_surplus_never_exceed_it CHECK (surplus_refunding_fen BETWEEN 0 AND surplus_fen),
    CONSTRAINT refunds_never_exceed_payment CHECK (refunding_fen BETWEEN 0 AND paid_fen),
    CONSTRAINT a_payment_gives_back_only_what_refunds_hold CHECK (refunded_fen BETWEEN 0 AND refunding_fen)
);

CREATE TABLE refunds (
    refund_id          text PRIMARY KEY,
    application_id     text NOT NULL REFERENCES applications,
    merchant_id        text NOT NULL,
    order_id           text NOT NULL REFERENCES orders,
    payment_id         text NOT NULL REFERENCES payments,
    out_refund_no      text NOT NULL,
    amount_fen         bigint NOT NULL CONSTRAINT a_refund_is_positive CHECK (amount_fen BETWEEN 1 AND 10000000000),
    surplus_fen        bigint NOT NULL CONSTRAINT a_refund_of_surplus_is_part_of_its_refund CHECK (surplus_fen BETWEEN 0 AND amount_fen),
    reason             text NOT NULL,
    state              text NOT NULL CONSTRAINT a_refund_is_in_a_known_state CHECK (state IN ('pending_approval', 'declined', 'submitted', 'unknown', 'processing', 'succeeded', 'failed', 'abnormal')),
    requested_by       text NOT NULL,
    decided_by         text,
    refund_call        bytea NOT NULL,
    provider_refund_no text,
    refused_reason     text,
    refused_code       text,
    refused_message    text,
    created_at         timestamptz NOT NULL,
    accepted_at        timestamptz,
    succeeded_at       timestamptz,
    sent_at            timestamptz,
    next_query_at      timestamptz,
    queries            integer NOT NULL DEFAULT 0,
    leased_until       timestamptz,
    CONSTRAINT a_refund_number_is_used_once UNIQUE (merchant_id, out_refund_no),
    CONSTRAINT nobody_approves_his_own_refund CHECK (decided_by IS NULL OR decided_by <> requested_by)
);
CREATE INDEX refunds_by_order ON refunds (order_id);
CREATE INDEX refunds_to_query ON refunds (merchant_id, next_query_at) WHERE next_query_at IS NOT NULL;

CREATE TABLE refund_shares (
    refund_id  text NOT NULL REFERENCES refunds,
    fee_id     text NOT NULL REFERENCES fees,
    amount_fen bigint NOT NULL CONSTRAINT a_refund_share_is_positive CHECK (amount_fen > 0),
    PRIMARY KEY (refund_id, fee_id)
);

-- Evidence: what came in, as it came in, sealed. Partitioned by month; append-only.
CREATE TABLE callbacks (
    callback_id text NOT NULL,
    received_at timestamptz NOT NULL,
    merchant_id text NOT NULL,
    notice_id   text,
    kind        text NOT NULL,
    verdict     text NOT NULL,
    order_id    text,
    sealed      bytea NOT NULL,
    replay_of   text,
    PRIMARY KEY (callback_id, received_at)
) PARTITION BY RANGE (received_at);
CREATE TABLE callbacks_default PARTITION OF callbacks DEFAULT;

-- Refused callbacks: bounded by rows and age per merchant, so they are no evidence of money.
CREATE TABLE refused_callbacks (
    refused_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL,
    merchant_id text NOT NULL,
    fault       text NOT NULL,
    detail      text NOT NULL,
    sealed      bytea NOT NULL
);
CREATE INDEX refused_callbacks_by_merchant ON refused_callbacks (merchant_id, refused_id);

-- What finance staff must look at.
CREATE TABLE incidents (
    incident_id text PRIMARY KEY,
    merchant_id text NOT NULL,
    kind        text NOT NULL,
    detail      text NOT NULL,
    dedupe_key  text NOT NULL CONSTRAINT one_incident_per_cause UNIQUE,
    order_id    text,
    refund_id   text,
    callback_id text,
    opened_at   timestamptz NOT NULL,
    closed_at   timestamptz
);

-- The journal (日记账): append-only, chained per merchant.
CREATE TABLE journal_heads (
    merchant_id text PRIMARY KEY,
    seq         bigint NOT NULL,
    mac         bytea NOT NULL
);
CREATE TABLE journal_entries (
    merchant_id text NOT NULL,
    seq         bigint NOT NULL CONSTRAINT a_journal_counts_from_one CHECK (seq >= 1),
    kind        text NOT NULL,
    subject_id  text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    mac         bytea NOT NULL,
    PRIMARY KEY (merchant_id, seq)
);
CREATE INDEX journal_entries_by_subject ON journal_entries (subject_id);
CREATE TABLE journal_lines (
    merchant_id text NOT NULL,
    seq         bigint NOT NULL,
    line        integer NOT NULL,
    debit       text NOT NULL,
    credit      text NOT NULL,
    amount_fen  bigint NOT NULL CONSTRAINT a_journal_line_moves_a_positive_amount CHECK (amount_fen > 0),
    fee_id      text,
    PRIMARY KEY (merchant_id, seq, line),
    FOREIGN KEY (merchant_id, seq) REFERENCES journal_entries,
    CONSTRAINT a_journal_line_moves_between_two_accounts CHECK (debit <> credit)
);

-- Events: append-only. The transaction's number lets a reader of the feed wait for the ones still open.
CREATE TABLE events (
    event_id       text PRIMARY KEY,
    position       bigint GENERATED ALWAYS AS IDENTITY,
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    application_id text REFERENCES applications,
    type           text NOT NULL,
    subject_id     text NOT NULL,
    occurred_at    timestamptz NOT NULL,
    body           text NOT NULL
);
CREATE INDEX events_in_order ON events (transaction_id, position);

-- The outbox: one row per message and receiver. ordering_key keeps one subject's messages in order.
-- attempts counts all there were, tries those since the last fresh start; sent_at is when the one began whose outcome
-- is open; lease grows with each claim, so that a worker who lost his lease writes nothing.
CREATE TABLE deliveries (
    delivery_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL CONSTRAINT a_delivery_goes_by_webhook_or_sms CHECK (kind IN ('webhook', 'sms')),
    event_id        text REFERENCES events,
    notification_id text,
    receiver        text NOT NULL,
    ordering_key    text NOT NULL,
    state           text NOT NULL DEFAULT 'due' CONSTRAINT a_delivery_is_in_a_known_state CHECK (state IN ('due', 'sending', 'querying', 'done', 'dead')),
    attempts        integer NOT NULL DEFAULT 0,
    tries           integer NOT NULL DEFAULT 0,
    lookups         integer NOT NULL DEFAULT 0,
    sent_at         timestamptz,
    next_at         timestamptz NOT NULL,
    lease           bigint NOT NULL DEFAULT 0,
    leased_until    timestamptz,
    last_outcome    text,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    CONSTRAINT a_delivery_carries_one_message CHECK (num_nonnulls(event_id, notification_id) = 1),
    CONSTRAINT an_event_reaches_a_receiver_once UNIQUE (event_id, receiver),
    CONSTRAINT a_notification_is_delivered_once UNIQUE (notification_id)
);
CREATE INDEX deliveries_due ON deliveries (receiver, next_at) WHERE state IN ('due', 'sending', 'querying');
CREATE INDEX deliveries_in_order ON deliveries (receiver, ordering_key, delivery_id) WHERE state IN ('due', 'sending', 'querying');
CREATE INDEX deliveries_dead ON deliveries (delivery_id) WHERE state = 'dead';

CREATE TABLE delivery_attempts (
    delivery_id bigint NOT NULL,
    attempt     integer NOT NULL,
    begun_at    timestamptz NOT NULL,
    outcome     text NOT NULL,
    detail      text NOT NULL,
    vendor_ref  text,
    PRIMARY KEY (delivery_id, attempt, begun_at)
) PARTITION BY RANGE (begun_at);
CREATE TABLE delivery_attempts_default PARTITION OF delivery_attempts DEFAULT;

CREATE TABLE notifications (
    notification_id text PRIMARY KEY,
    application_id  text NOT NULL REFERENCES applications,
    template        text NOT NULL,
    channel         text NOT NULL,
    channels        text[],
    state           text NOT NULL CONSTRAINT a_notification_is_in_a_known_state CHECK (state IN ('queued', 'held', 'sending', 'sent', 'delivered', 'failed', 'expired', 'suppressed')),
    to_sealed       bytea NOT NULL,
    to_masked       text NOT NULL,
    params_sealed   bytea NOT NULL,
    locale          text NOT NULL,
    dedupe_key      text NOT NULL,
    subject_id      text,
    not_before      timestamptz,
    expires_at      timestamptz,
    vendor_ref      text,
    failure         text,
    created_at      timestamptz NOT NULL,
    sent_at         timestamptz,
    delivered_at    timestamptz,
    CONSTRAINT a_person_is_told_a_thing_once UNIQUE (application_id, dedupe_key)
);
CREATE INDEX notifications_by_vendor_ref ON notifications (vendor_ref) WHERE vendor_ref IS NOT NULL;

-- Every call to a provider: append-only evidence, sealed.
CREATE TABLE provider_calls (
    call_id     bigint GENERATED ALWAYS AS IDENTITY,
    begun_at    timestamptz NOT NULL,
    merchant_id text NOT NULL,
    operation   text NOT NULL,
    subject_id  text,
    status      integer,
    outcome     text NOT NULL,
    detail      text NOT NULL,
    sealed      bytea NOT NULL,
    PRIMARY KEY (call_id, begun_at)
) PARTITION BY RANGE (begun_at);
CREATE TABLE provider_calls_default PARTITION OF provider_calls DEFAULT;

-- lease is new with each claim, so that a worker who lost his lease writes nothing.
CREATE TABLE idempotency_keys (
    application_id text NOT NULL REFERENCES applications,
    key            text NOT NULL,
    call           text NOT NULL,
    body_hash      bytea NOT NULL,
    status         integer,
    answer         bytea,
    created_at     timestamptz NOT NULL,
    lease          bigint GENERATED BY DEFAULT AS IDENTITY,
    leased_until   timestamptz,
    PRIMARY KEY (application_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Reconciliation: bills as fetched, runs with versions, what they found.
CREATE TABLE bill_files (
    bill_file_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  text NOT NULL,
    bill_date    date NOT NULL,
    sha256       bytea NOT NULL,
    content      bytea NOT NULL,
    fetched_at   timestamptz NOT NULL,
    CONSTRAINT a_bill_is_stored_once UNIQUE (merchant_id, bill_date, sha256)
);

CREATE TABLE runs (
    run_id       text PRIMARY KEY,
    merchant_id  text NOT NULL,
    bill_date    date NOT NULL,
    version      integer NOT NULL,
    status       text NOT NULL CONSTRAINT a_run_is_in_a_known_state CHECK (status IN ('waiting_for_bill', 'running', 'balanced', 'unbalanced', 'failed')),
    sign_off     text NOT NULL DEFAULT 'none',
    bill_file_id bigint REFERENCES bill_files,
    next_at      timestamptz,
    leased_until timestamptz,
    tries        integer NOT NULL DEFAULT 0,
    damaged      integer NOT NULL DEFAULT 0,
    failure      text,
    summary      jsonb,
    ledger       jsonb,
    report       jsonb,
    journal_seq  bigint,
    journal_mac  bytea,
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    CONSTRAINT a_run_has_its_own_version UNIQUE (merchant_id, bill_date, version)
);
CREATE INDEX runs_waiting ON runs (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE differences (
    difference_id     text PRIMARY KEY,
    run_id            text NOT NULL REFERENCES runs,
    position          integer NOT NULL,
    kind              text NOT NULL,
    direction         text NOT NULL,
    out_trade_no      text NOT NULL,
    out_refund_no     text,
    provider_trade_no text,
    hub_amount_fen    bigint,
    bill_amount_fen   bigint,
    hub_state         text,
    bill_state        text,
    detail            text NOT NULL,
    cause             text NOT NULL,
    proposed_action   text NOT NULL,
    status            text NOT NULL,
    opened_at         timestamptz NOT NULL,
    UNIQUE (run_id, position)
);
CREATE TABLE doubts (
    doubt_id          text PRIMARY KEY,
    run_id            text NOT NULL REFERENCES runs,
    position          integer NOT NULL,
    kind              text NOT NULL,
    direction         text NOT NULL,
    out_trade_no      text NOT NULL,
    out_refund_no     text,
    provider_trade_no text,
    hub_amount_fen    bigint,
    bill_amount_fen   bigint,
    hub_state         text,
    bill_state        text,
    detail            text NOT NULL,
    opened_at         timestamptz NOT NULL,
    UNIQUE (run_id, position)
);

-- Append-only means that not even the hub's own role rewrites a fact.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'facts_are_never_changed',
        MESSAGE = TG_TABLE_NAME || ' is append-only';
END $$;
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payments FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_shares FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_lines FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Evidence lies in one partition a month, so that a month can be taken away whole.
CREATE FUNCTION prepare_month(first_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    evidence text;
BEGIN
    -- Two hubs that start in one moment make the tables after each other, not at once.
    PERFORM pg_advisory_xact_lock(hashtext('payhub.prepare_month'));
    FOREACH evidence IN ARRAY ARRAY['callbacks', 'delivery_attempts', 'provider_calls'] LOOP
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
            evidence || to_char(first_day, '_YYYY_MM'), evidence,
            first_day::timestamp AT TIME ZONE 'UTC',
            (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC');
    END LOOP;
END $$;
