-- Payers who pay by the month: their fees, the statements of what they owe, and the transfers that pay those.

-- Which payer's account pays a fee by the month. NULL: it is paid through orders.
ALTER TABLE fees ADD COLUMN payer_account text;
CREATE INDEX fees_by_payer_account ON fees (payer_account, issued_at) WHERE payer_account IS NOT NULL;

-- A transfer is an order that nobody placed: it is written down paid.
ALTER TABLE orders DROP CONSTRAINT an_order_has_a_known_provider;
ALTER TABLE orders ADD CONSTRAINT an_order_has_a_known_provider CHECK (provider IN ('wechat', 'alipay', 'bank'));
ALTER TABLE orders ADD CONSTRAINT a_transfer_is_paid_when_it_is_known CHECK (provider <> 'bank' OR state = 'paid');
ALTER TABLE payments DROP CONSTRAINT a_payment_was_heard_of_somewhere;
ALTER TABLE payments ADD CONSTRAINT a_payment_was_heard_of_somewhere
    CHECK (source IN ('callback', 'query', 'bill', 'bank') AND (source = 'bank') = (provider = 'bank'));

-- The statement of a payer's month. Append-only: what changes later stands on a later one.
CREATE TABLE payer_statements (
    statement_id   text PRIMARY KEY,
    number         text NOT NULL CONSTRAINT a_payer_statement_number_is_given_once UNIQUE,
    account        text NOT NULL,
    account_name   text NOT NULL,
    application_id text NOT NULL REFERENCES applications,
    period         date NOT NULL CONSTRAINT a_payer_statement_is_of_a_month CHECK (extract(day FROM period) = 1),
    total_fen      bigint NOT NULL CONSTRAINT a_payer_statement_fits_one_transfer CHECK (total_fen BETWEEN 0 AND 10000000000),
    due_on         date NOT NULL,
    made_at        timestamptz NOT NULL,
    CONSTRAINT a_month_of_an_account_is_closed_once UNIQUE (account, period)
);

-- What it says, fee by fee. Append-only. A correction tells of a fee on an earlier statement and is no part of the total.
CREATE TABLE payer_statement_lines (
    statement_id text NOT NULL REFERENCES payer_statements,
    position     integer NOT NULL,
    fee_id       text NOT NULL REFERENCES fees,
    kind         text NOT NULL CONSTRAINT a_payer_statement_line_has_a_known_kind CHECK (kind IN ('charge', 'void', 'refund')),
    amount_fen   bigint NOT NULL CONSTRAINT a_charge_is_owed_and_a_correction_is_not CHECK ((kind = 'charge') = (amount_fen > 0) AND amount_fen <> 0),
    PRIMARY KEY (statement_id, position)
);
CREATE UNIQUE INDEX a_fee_is_charged_on_one_payer_statement ON payer_statement_lines (fee_id, kind) WHERE kind IN ('charge', 'void');
CREATE INDEX payer_statement_lines_by_fee ON payer_statement_lines (fee_id);

-- That some credits at the bank pay some statements: a fact. Append-only.
CREATE TABLE payer_matches (
    match_id   text PRIMARY KEY,
    claimed_by text,
    reason     text,
    matched_at timestamptz NOT NULL
);
CREATE TABLE payer_match_credits (
    bank_serial text CONSTRAINT a_transfer_pays_once PRIMARY KEY REFERENCES bank_lines,
    match_id    text NOT NULL REFERENCES payer_matches,
    order_id    text NOT NULL REFERENCES orders CONSTRAINT a_transfer_is_one_order UNIQUE
);
CREATE INDEX payer_match_credits_by_match ON payer_match_credits (match_id);
CREATE TABLE payer_match_statements (
    statement_id text CONSTRAINT a_payer_statement_is_paid_once PRIMARY KEY REFERENCES payer_statements,
    match_id     text NOT NULL REFERENCES payer_matches
);
CREATE INDEX payer_match_statements_by_match ON payer_match_statements (match_id);

-- What is proposed for a credit that is not clear by itself; made anew whenever something changes.
CREATE TABLE payer_proposals (
    bank_serial text PRIMARY KEY REFERENCES bank_lines,
    candidates  jsonb NOT NULL
);

CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payer_statements FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payer_statement_lines FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payer_matches FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payer_match_credits FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payer_match_statements FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A fee of an account is paid by transfer and no other fee is. The account of a fee never changes, so nothing can race with this.
CREATE FUNCTION check_way_of_fee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fees f, orders o
                WHERE f.fee_id = NEW.fee_id AND o.order_id = NEW.order_id AND (f.payer_account IS NOT NULL) <> (o.provider = 'bank')) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_monthly_fee_is_paid_by_transfer_alone',
            MESSAGE = 'fee ' || NEW.fee_id || ': order ' || NEW.order_id || ' is not the way in which it is paid';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_monthly_fee_is_paid_by_transfer_alone AFTER INSERT ON order_allocations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_way_of_fee();

CREATE FUNCTION check_payer_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payer_statements s
                WHERE s.statement_id = NEW.statement_id
                  AND s.total_fen <> (SELECT COALESCE(sum(l.amount_fen), 0) FROM payer_statement_lines l
                                       WHERE l.statement_id = s.statement_id AND l.kind = 'charge'))
       OR EXISTS (SELECT FROM payer_statement_lines l JOIN fees f USING (fee_id) JOIN payer_statements s USING (statement_id)
                   WHERE l.statement_id = NEW.statement_id
                     AND (f.payer_account IS DISTINCT FROM s.account OR (l.kind = 'charge' AND l.amount_fen <> f.total_fen))) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_payer_statement_is_the_sum_of_its_charges',
            MESSAGE = 'payer statement ' || NEW.statement_id || ' is not the sum of its charges';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_payer_statement_is_the_sum_of_its_charges AFTER INSERT ON payer_statements
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_payer_statement();

-- What a match pays it pays whole, with money that came in and is nothing else.
CREATE FUNCTION check_payer_match() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payer_match_statements m JOIN payer_statement_lines l USING (statement_id) JOIN fee_balances b USING (fee_id)
                WHERE m.match_id = NEW.match_id AND l.kind = 'charge' AND b.voided_at IS NULL AND b.paid_fen < b.total_fen)
       OR NOT EXISTS (SELECT FROM payer_match_statements m WHERE m.match_id = NEW.match_id)
       OR NOT EXISTS (SELECT FROM payer_match_credits c WHERE c.match_id = NEW.match_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_payer_statement_is_paid_whole',
            MESSAGE = 'match ' || NEW.match_id || ' leaves a fee of its statements unpaid';
    END IF;
    IF EXISTS (SELECT FROM payer_match_credits c JOIN bank_lines b USING (bank_serial) JOIN orders o USING (order_id)
                WHERE c.match_id = NEW.match_id
                  AND (b.direction <> 'in' OR b.amount_fen <> o.amount_fen OR o.provider <> 'bank' OR o.provider_trade_no <> b.bank_serial)) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_transfer_is_the_whole_credit',
            MESSAGE = 'match ' || NEW.match_id || ' is not of the credits that it names';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_payer_match_adds_up AFTER INSERT ON payer_matches
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_payer_match();

-- Money at the bank is a provider's or a payer's, never both. A match that was taken back (V29) no longer counts. Whoever matches holds the bank's turn.
CREATE FUNCTION check_kind_of_arrival() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM standing_matches m JOIN payer_match_credits c USING (bank_serial) WHERE m.bank_serial = NEW.bank_serial) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_credit_is_a_providers_or_a_payers',
            MESSAGE = 'bank line ' || NEW.bank_serial || ' would be two arrivals';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_credit_is_a_providers_or_a_payers AFTER INSERT ON settlement_matches
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_kind_of_arrival();
CREATE CONSTRAINT TRIGGER a_credit_is_a_providers_or_a_payers AFTER INSERT ON payer_match_credits
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_kind_of_arrival();

-- An older program knows no order of a bank, and would take a payer's money for a provider's.
UPDATE schema_needs SET least = 27;
