-- Combined orders (合单): one payment that several payees share. Each part is an order like any other, so that its
-- payment, journal, refunds and bill rows are those of its own payee; what is here is only what holds the parts together.

-- place_call is sealed; it stands here and not with the parts, because all of them are placed by one call. The state is
-- that of the parts. A combined order is asked for as one: its parts have no next_query_at of their own.
CREATE TABLE combined_orders (
    combined_id    text PRIMARY KEY,
    application_id text NOT NULL REFERENCES applications,
    merchant_id    text NOT NULL,
    product        text NOT NULL,
    out_trade_no   text NOT NULL,
    amount_fen     bigint NOT NULL CONSTRAINT a_combined_order_is_between_two_fen_and_ten_to_the_ten CHECK (amount_fen BETWEEN 2 AND 10000000000),
    place_call     bytea NOT NULL,
    pay            jsonb,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    next_query_at  timestamptz,
    queries        integer NOT NULL DEFAULT 0,
    leased_until   timestamptz,
    CONSTRAINT a_combined_order_number_is_used_once UNIQUE (merchant_id, out_trade_no)
);
CREATE INDEX combined_orders_to_query ON combined_orders (merchant_id, next_query_at) WHERE next_query_at IS NOT NULL;

-- asked_by is the merchant of the whole: with the part's number it finds the part when a notice comes there. payee is
-- how the provider names who is paid.
CREATE TABLE combined_parts (
    order_id     text CONSTRAINT a_part_belongs_to_one_combined_order PRIMARY KEY REFERENCES orders,
    combined_id  text NOT NULL REFERENCES combined_orders,
    position     integer NOT NULL,
    payee        text NOT NULL,
    asked_by     text NOT NULL,
    out_trade_no text NOT NULL,
    CONSTRAINT the_parts_of_a_combined_order_are_in_order UNIQUE (combined_id, position),
    CONSTRAINT a_payee_has_one_part_of_a_combined_order UNIQUE (combined_id, payee),
    CONSTRAINT a_part_is_found_by_its_number UNIQUE (asked_by, out_trade_no)
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON combined_parts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_combined_parts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    parts bigint;
    total bigint;
BEGIN
    SELECT count(*), sum(o.amount_fen) INTO parts, total
      FROM combined_parts p JOIN orders o USING (order_id) WHERE p.combined_id = NEW.combined_id;
    IF parts NOT BETWEEN 2 AND 10 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_combined_order_has_two_to_ten_parts',
            MESSAGE = 'combined order ' || NEW.combined_id || ' has ' || parts || ' parts';
    END IF;
    IF (SELECT amount_fen FROM combined_orders WHERE combined_id = NEW.combined_id) IS DISTINCT FROM total THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_combined_order_is_the_sum_of_its_parts',
            MESSAGE = 'combined order ' || NEW.combined_id || ' is not the sum of its parts';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_combined_order_is_the_sum_of_its_parts
    AFTER INSERT ON combined_orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_combined_parts();
CREATE CONSTRAINT TRIGGER a_combined_order_is_the_sum_of_its_parts
    AFTER INSERT ON combined_parts DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_combined_parts();
