-- A match of a credit can be taken back, what is expected after money has arrived is kept, and what two agreed to takes two again.

-- That a person asks to take a match back. Append-only.
CREATE TABLE unmatch_claims (
    match_id   text NOT NULL REFERENCES settlement_matches,
    position   smallint NOT NULL,
    "by"       text NOT NULL,
    reason     text NOT NULL,
    claimed_at timestamptz NOT NULL,
    PRIMARY KEY (match_id, position)
);
-- That a match was taken back: it stays on record and no longer counts. Append-only.
CREATE TABLE settlement_unmatches (
    match_id  text CONSTRAINT a_match_is_taken_back_once PRIMARY KEY REFERENCES settlement_matches,
    "by"      text NOT NULL,
    reason    text NOT NULL,
    undone_at timestamptz NOT NULL
);
-- What a later version of a run expects of a bill day for which money has arrived. Append-only.
CREATE TABLE settlement_revisions (
    settlement_id text NOT NULL REFERENCES settlements,
    position      smallint NOT NULL,
    run_id        text NOT NULL REFERENCES runs,
    payments_fen  bigint NOT NULL,
    refunds_fen   bigint NOT NULL,
    fee_fen       bigint NOT NULL,
    net_fen       bigint NOT NULL CONSTRAINT a_revision_is_of_gross_principal CHECK (net_fen = payments_fen - refunds_fen),
    merchants     text[] NOT NULL,
    nets_fen      bigint[] NOT NULL CONSTRAINT a_revision_has_a_net_for_each_merchant CHECK (cardinality(nets_fen) = cardinality(merchants)),
    made_at       timestamptz NOT NULL,
    PRIMARY KEY (settlement_id, position)
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON unmatch_claims FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_unmatches FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_revisions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A credit and a bill day are matched once at a time: the turn is one more than the matches of it that were taken back.
ALTER TABLE settlement_matches
    ADD COLUMN turn smallint NOT NULL DEFAULT 1,
    DROP CONSTRAINT a_credit_is_matched_once,
    ADD CONSTRAINT a_credit_is_matched_once UNIQUE (bank_serial, turn);
ALTER TABLE settlement_match_days
    ADD COLUMN turn smallint NOT NULL DEFAULT 1,
    DROP CONSTRAINT a_settlement_arrives_once,
    ADD CONSTRAINT a_settlement_arrives_once PRIMARY KEY (settlement_id, turn);

-- What people said before a match was taken back says nothing about the next one.
ALTER TABLE settlement_claims ADD COLUMN turn smallint NOT NULL DEFAULT 1;

-- The matches that count, and their days.
CREATE VIEW standing_matches AS
SELECT m.* FROM settlement_matches m
 WHERE NOT EXISTS (SELECT FROM settlement_unmatches u WHERE u.match_id = m.match_id);
CREATE VIEW standing_match_days AS
SELECT d.* FROM settlement_match_days d
 WHERE NOT EXISTS (SELECT FROM settlement_unmatches u WHERE u.match_id = d.match_id);

CREATE OR REPLACE FUNCTION keep_arrived_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM standing_match_days d WHERE d.settlement_id = OLD.settlement_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'what_arrived_stays_as_it_was_expected',
            MESSAGE = 'settlement ' || OLD.settlement_id || ': money has arrived for it';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- How many people say that a credit is just these settlements, with this difference. Spaces and large letters make no other
-- person of a name.
CREATE FUNCTION people_who_claim(serial text, days text[], difference bigint, this_turn smallint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(DISTINCT lower(regexp_replace(c."by", '\s', '', 'g'))) FROM settlement_claims c
     WHERE c.bank_serial = serial AND c.settlements = days AND c.difference_fen = difference AND c.turn = this_turn
$$;

CREATE OR REPLACE FUNCTION check_settlement_match() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    days    text[] := ARRAY(SELECT d.settlement_id FROM settlement_match_days d WHERE d.match_id = NEW.match_id ORDER BY 1);
    came_on date := (SELECT b.value_date FROM bank_lines b WHERE b.bank_serial = NEW.bank_serial);
    broken  text;
BEGIN
    broken := CASE
        WHEN NOT EXISTS (SELECT FROM bank_lines b
                          WHERE b.bank_serial = NEW.bank_serial AND b.direction = 'in' AND b.amount_fen = NEW.amount_fen)
             OR NEW.amount_fen <> (SELECT COALESCE(sum(h.amount_fen), 0) FROM settlement_match_shares h WHERE h.match_id = NEW.match_id)
             OR NEW.expected_fen <> (SELECT COALESCE(sum(s.net_fen), 0) FROM settlements s WHERE s.settlement_id = ANY (days))
             OR 1 <> (SELECT count(DISTINCT s.account) FROM settlements s WHERE s.settlement_id = ANY (days))
             THEN 'a_match_adds_up_on_both_sides'
        WHEN EXISTS (SELECT FROM standing_matches m WHERE m.bank_serial = NEW.bank_serial AND m.match_id <> NEW.match_id)
             OR NEW.turn <> (SELECT count(*) FROM settlement_matches m WHERE m.bank_serial = NEW.bank_serial)
             THEN 'a_credit_is_matched_once'
        WHEN EXISTS (SELECT FROM standing_match_days d WHERE d.settlement_id = ANY (days) AND d.match_id <> NEW.match_id)
             THEN 'a_settlement_arrives_once'
        WHEN EXISTS (SELECT FROM settlements s WHERE s.settlement_id = ANY (days) AND s.bill_date >= came_on)
             THEN 'money_comes_after_its_bill_day'
        WHEN NEW.difference_fen <> 0 AND people_who_claim(NEW.bank_serial, days, NEW.difference_fen, NEW.turn) < 2
             THEN 'nobody_closes_a_difference_alone'
        -- What was due long before the money came is taken by two people, even to the fen.
        WHEN EXISTS (SELECT FROM settlements s WHERE s.settlement_id = ANY (days) AND s.net_fen > 0 AND s.due_on < came_on - 45)
             AND people_who_claim(NEW.bank_serial, days, NEW.difference_fen, NEW.turn) < 2
             THEN 'nobody_takes_an_old_day_alone'
        -- A difference is each merchant's in proportion to what was to come for it, to the fen.
        WHEN EXISTS (SELECT FROM (
                         SELECT merchant_id, COALESCE(sum(net), 0) AS net, COALESCE(sum(came), 0) AS came FROM (
                             SELECT h.merchant_id, h.net_fen AS net, 0 AS came FROM settlement_shares h WHERE h.settlement_id = ANY (days)
                             UNION ALL
                             SELECT h.merchant_id, 0, h.amount_fen FROM settlement_match_shares h WHERE h.match_id = NEW.match_id) e
                          GROUP BY merchant_id) s
                     CROSS JOIN (SELECT sum(GREATEST(net, 0)) AS net FROM (
                         SELECT sum(h.net_fen) AS net FROM settlement_shares h WHERE h.settlement_id = ANY (days) GROUP BY h.merchant_id) p) whole
                     WHERE whole.net > 0
                       AND abs((s.came - s.net)::numeric * whole.net - NEW.difference_fen::numeric * GREATEST(s.net, 0)) >= whole.net)
             THEN 'a_difference_is_shared_as_the_money_was_expected'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = broken,
            MESSAGE = 'match ' || NEW.match_id || ' of bank line ' || NEW.bank_serial || ' cannot be: ' || broken;
    END IF;
    RETURN NULL;
END $$;

-- What two people agreed to is taken back by two; anything else by one.
CREATE FUNCTION check_unmatch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(DISTINCT lower(regexp_replace(c."by", '\s', '', 'g'))) FROM unmatch_claims c WHERE c.match_id = NEW.match_id)
       < (SELECT CASE WHEN m.confirmed_by IS NULL THEN 1 ELSE 2 END FROM settlement_matches m WHERE m.match_id = NEW.match_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'what_two_agreed_to_is_taken_back_by_two',
            MESSAGE = 'match ' || NEW.match_id || ': fewer people take it back than agreed to it';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER what_two_agreed_to_is_taken_back_by_two AFTER INSERT ON settlement_unmatches
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_unmatch();

-- A write-off is taken up again by two: one asks, another agrees. And a forced match ends nothing for which something else was
-- proposed or agreed to.
ALTER TABLE difference_steps
    DROP CONSTRAINT a_step_of_a_difference_is_known,
    ADD CONSTRAINT a_step_of_a_difference_is_known
        CHECK (event IN ('assigned', 'proposed', 'approved', 'declined', 'resolved', 'written_off', 'matched', 'reopen_asked', 'reopened',
                         'cleared', 'superseded')),
    DROP CONSTRAINT a_step_that_needs_a_reason_has_one,
    ADD CONSTRAINT a_step_that_needs_a_reason_has_one
        CHECK (event NOT IN ('proposed', 'declined', 'reopen_asked', 'reopened') OR reason IS NOT NULL);

CREATE OR REPLACE FUNCTION check_difference_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before   difference_steps;
    proposal difference_steps;
    broken   text;
BEGIN
    SELECT * INTO before FROM difference_steps s WHERE s.difference_id = NEW.difference_id AND s.position = NEW.position - 1;
    SELECT * INTO proposal FROM difference_steps s
     WHERE s.difference_id = NEW.difference_id AND s.position < NEW.position AND s.event = 'proposed'
     ORDER BY s.position DESC LIMIT 1;
    broken := CASE
        WHEN (NEW.position = 1) <> (before.event IS NULL) THEN 'steps_of_a_difference_have_no_gaps'
        -- Spaces and large letters make no other person of a name.
        WHEN NEW.event = 'reopened'
             AND (before.event = 'written_off'
                  OR before.event = 'reopen_asked'
                     AND lower(regexp_replace(before."by", '\s', '', 'g')) = lower(regexp_replace(NEW."by", '\s', '', 'g')))
             THEN 'nobody_takes_a_write_off_up_again_alone'
        WHEN CASE COALESCE(before.event, '')
                  WHEN 'resolved' THEN NEW.event <> 'reopened'
                  WHEN 'matched' THEN NEW.event <> 'reopened'
                  WHEN 'written_off' THEN NEW.event <> 'reopen_asked'
                  WHEN 'reopen_asked' THEN NEW.event <> 'reopened'
                  ELSE NEW.event IN ('reopened', 'reopen_asked') OR COALESCE(before.event, '') IN ('cleared', 'superseded')
             END THEN 'what_is_over_is_taken_up_again_first'
        WHEN NEW.event = 'approved'
             AND (before.event IS DISTINCT FROM 'proposed'
                  OR lower(regexp_replace(proposal."by", '\s', '', 'g')) = lower(regexp_replace(NEW."by", '\s', '', 'g')))
             THEN 'nobody_approves_what_he_proposed'
        WHEN NEW.event IN ('resolved', 'written_off') AND before.event IS DISTINCT FROM 'approved'
             THEN 'nothing_is_over_before_another_agreed'
        WHEN NEW.event = 'written_off'
             AND (proposal.action <> 'write_off' OR proposal.amount_fen <> NEW.amount_fen
                  OR difference_apart(NEW.difference_id) <> CASE NEW.side WHEN 'long' THEN NEW.amount_fen ELSE -NEW.amount_fen END)
             THEN 'a_write_off_is_what_was_agreed_to'
        WHEN NEW.event = 'resolved'
             AND (proposal.action IN ('write_off', 'park') OR proposal.other_id IS DISTINCT FROM NEW.other_id)
             THEN 'a_difference_is_resolved_as_was_agreed_to'
        WHEN NEW.event = 'matched' AND before.event IN ('proposed', 'approved')
             AND (proposal.action <> 'force_match' OR proposal.other_id IS DISTINCT FROM NEW.other_id)
             THEN 'a_forced_match_ends_nothing_that_others_agreed_to'
        WHEN NEW.event = 'matched'
             AND NOT EXISTS (SELECT FROM difference_steps s
                               JOIN differences one ON one.difference_id = s.difference_id
                               JOIN differences two ON two.difference_id = NEW.difference_id
                              WHERE s.difference_id = NEW.other_id AND s.other_id = NEW.difference_id AND s.event = 'resolved'
                                AND s.told_at = NEW.told_at AND one.direction = two.direction
                                AND difference_apart(one.difference_id) = -difference_apart(two.difference_id)
                                AND difference_apart(one.difference_id) <> 0)
             THEN 'a_forced_match_is_of_two_sides'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = broken,
            MESSAGE = 'difference ' || NEW.difference_id || ': ' || NEW.event || ' cannot follow';
    END IF;
    RETURN NULL;
END $$;

-- An older program takes a match that was taken back for one that counts.
UPDATE schema_needs SET least = 29;
