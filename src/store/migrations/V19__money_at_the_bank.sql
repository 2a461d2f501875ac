-- What providers are expected to settle of each bill day, what the bank says came in, and which is which.

-- A statement as it was handed in. Append-only.
CREATE TABLE bank_statements (
    statement_id   text PRIMARY KEY,
    application_id text REFERENCES applications,
    sha256         bytea NOT NULL,
    rows           integer NOT NULL CONSTRAINT a_statement_counts_its_rows CHECK (rows >= 0 AND known BETWEEN 0 AND rows),
    known          integer NOT NULL,
    in_fen         bigint NOT NULL,
    out_fen        bigint NOT NULL,
    imported_at    timestamptz NOT NULL
);

-- A row of a statement: money that moved at the bank. Append-only. Who stands on the other side is sealed; digest is that of
-- the whole row, under a key of the hub, so that the same row is known again.
CREATE TABLE bank_lines (
    bank_serial  text CONSTRAINT a_bank_serial_is_booked_once PRIMARY KEY,
    statement_id text NOT NULL REFERENCES bank_statements,
    row          integer NOT NULL,
    value_date   date NOT NULL,
    direction    text NOT NULL CONSTRAINT a_bank_line_goes_in_or_out CHECK (direction IN ('in', 'out')),
    amount_fen   bigint NOT NULL CONSTRAINT a_bank_line_moves_a_positive_amount CHECK (amount_fen > 0),
    reference    text NOT NULL,
    counter      bytea NOT NULL,
    digest       bytea NOT NULL
);
CREATE INDEX bank_lines_by_day ON bank_lines (value_date, bank_serial);
CREATE INDEX bank_lines_by_statement ON bank_lines (statement_id);

-- What a provider is expected to settle of an account's bill day, from the run that reconciled it. A later version of the
-- run may change it until money has arrived for it.
CREATE TABLE settlements (
    settlement_id text PRIMARY KEY,
    account       text NOT NULL,
    numbers       text[] NOT NULL,
    bill_date     date NOT NULL,
    run_id        text NOT NULL REFERENCES runs,
    payments_fen  bigint NOT NULL,
    refunds_fen   bigint NOT NULL,
    fee_fen       bigint NOT NULL,
    net_fen       bigint NOT NULL CONSTRAINT principal_arrives_gross CHECK (net_fen = payments_fen - refunds_fen),
    due_on        date NOT NULL CONSTRAINT money_arrives_after_its_day CHECK (due_on > bill_date),
    made_at       timestamptz NOT NULL,
    CONSTRAINT a_bill_day_is_settled_once UNIQUE (account, bill_date)
);
CREATE INDEX settlements_by_day ON settlements (bill_date);
CREATE TABLE settlement_shares (
    settlement_id text NOT NULL REFERENCES settlements,
    position      smallint NOT NULL,
    merchant_id   text NOT NULL,
    net_fen       bigint NOT NULL,
    PRIMARY KEY (settlement_id, position),
    CONSTRAINT a_merchant_has_one_share_of_a_settlement UNIQUE (settlement_id, merchant_id)
);

-- What is proposed for a credit that is not clear by itself; made anew whenever something changes.
CREATE TABLE bank_proposals (
    bank_serial text PRIMARY KEY REFERENCES bank_lines,
    candidates  jsonb NOT NULL,
    is_whole    boolean NOT NULL
);

-- That a person says which settlements a credit is. Append-only.
CREATE TABLE settlement_claims (
    bank_serial text NOT NULL REFERENCES bank_lines,
    position    smallint NOT NULL,
    settlements text[] NOT NULL,
    "by"        text NOT NULL,
    reason      text,
    claimed_at  timestamptz NOT NULL,
    -- What came beside what was expected when he said so: two agree to one difference.
    difference_fen bigint NOT NULL,
    PRIMARY KEY (bank_serial, position)
);

-- That a credit is the settlement of some bill days: a fact, with what of it is which merchant's. Append-only.
CREATE TABLE settlement_matches (
    match_id       text PRIMARY KEY,
    bank_serial    text NOT NULL REFERENCES bank_lines CONSTRAINT a_credit_is_matched_once UNIQUE,
    amount_fen     bigint NOT NULL,
    expected_fen   bigint NOT NULL,
    difference_fen bigint NOT NULL CONSTRAINT a_difference_is_what_came_beside_what_was_expected CHECK (difference_fen = amount_fen - expected_fen),
    cause          text CONSTRAINT a_match_that_differs_says_why CHECK ((difference_fen = 0) = (cause IS NULL)),
    claimed_by     text,
    confirmed_by   text,
    reason         text,
    matched_at     timestamptz NOT NULL
);
CREATE TABLE settlement_match_days (
    settlement_id text CONSTRAINT a_settlement_arrives_once PRIMARY KEY REFERENCES settlements,
    match_id      text NOT NULL REFERENCES settlement_matches
);
CREATE INDEX settlement_match_days_by_match ON settlement_match_days (match_id);
CREATE TABLE settlement_match_shares (
    match_id    text NOT NULL REFERENCES settlement_matches,
    merchant_id text NOT NULL,
    amount_fen  bigint NOT NULL CONSTRAINT a_share_of_an_arrival_is_not_nothing CHECK (amount_fen <> 0),
    PRIMARY KEY (match_id, merchant_id)
);

CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_statements FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_lines FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_claims FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_matches FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_match_days FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_match_shares FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A settlement for which money has arrived stays as it was.
CREATE FUNCTION keep_arrived_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM settlement_match_days d WHERE d.settlement_id = OLD.settlement_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'what_arrived_stays_as_it_was_expected',
            MESSAGE = 'settlement ' || OLD.settlement_id || ': money has arrived for it';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER arrived_settlements_stay BEFORE UPDATE OR DELETE ON settlements FOR EACH ROW EXECUTE FUNCTION keep_arrived_settlement();
CREATE TRIGGER arrived_settlements_stay BEFORE UPDATE OR DELETE ON settlement_shares FOR EACH ROW EXECUTE FUNCTION keep_arrived_settlement();

CREATE FUNCTION check_settlement_shares() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM settlements s
                WHERE s.settlement_id = NEW.settlement_id
                  AND s.net_fen <> (SELECT COALESCE(sum(h.net_fen), 0) FROM settlement_shares h WHERE h.settlement_id = s.settlement_id)) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_settlement_is_the_sum_of_its_shares',
            MESSAGE = 'settlement ' || NEW.settlement_id || ' is not the sum of its shares';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_settlement_is_the_sum_of_its_shares AFTER INSERT OR UPDATE ON settlements
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_settlement_shares();
CREATE CONSTRAINT TRIGGER a_settlement_is_the_sum_of_its_shares AFTER INSERT OR UPDATE ON settlement_shares
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_settlement_shares();

-- A match adds up on both sides, is of money that came in, and closes a difference only when two people say so. Who they
-- are is looked up where it stands, so that no copy can lie.
CREATE FUNCTION check_settlement_match() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    days text[] := ARRAY(SELECT d.settlement_id FROM settlement_match_days d WHERE d.match_id = NEW.match_id ORDER BY 1);
BEGIN
    IF NOT EXISTS (SELECT FROM bank_lines b
                    WHERE b.bank_serial = NEW.bank_serial AND b.direction = 'in' AND b.amount_fen = NEW.amount_fen)
       OR NEW.amount_fen <> (SELECT COALESCE(sum(h.amount_fen), 0) FROM settlement_match_shares h WHERE h.match_id = NEW.match_id)
       OR NEW.expected_fen <> (SELECT COALESCE(sum(s.net_fen), 0) FROM settlements s WHERE s.settlement_id = ANY (days))
       OR 1 <> (SELECT count(DISTINCT s.account) FROM settlements s WHERE s.settlement_id = ANY (days))
    THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_match_adds_up_on_both_sides',
            MESSAGE = 'match ' || NEW.match_id || ' does not add up';
    END IF;
    -- Spaces and large letters make no other person of a name.
    IF NEW.difference_fen <> 0
       AND (SELECT count(DISTINCT lower(regexp_replace(c."by", '\s', '', 'g'))) FROM settlement_claims c
             WHERE c.bank_serial = NEW.bank_serial AND c.settlements = days AND c.difference_fen = NEW.difference_fen) < 2
    THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_closes_a_difference_alone',
            MESSAGE = 'match ' || NEW.match_id || ': fewer than two people say so';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_match_adds_up AFTER INSERT ON settlement_matches
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_settlement_match();

-- An older program ends a run without saying what is to arrive of it.
UPDATE schema_needs SET least = 19;
