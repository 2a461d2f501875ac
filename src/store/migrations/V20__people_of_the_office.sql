-- People of the finance office: who they are and may be, what they do about differences, and the trail of it.

-- A user. Two names that differ only by spaces or large letters are one person.
CREATE TABLE users (
    name          text CONSTRAINT a_user_is_known_by_one_name PRIMARY KEY,
    folded        text NOT NULL CONSTRAINT two_users_differ_by_more_than_spaces UNIQUE,
    roles         text[] NOT NULL CONSTRAINT a_role_is_known
                  CHECK (cardinality(roles) >= 1
                         AND roles <@ ARRAY['cashier', 'preparer', 'reviewer', 'approver', 'auditor', 'admin']),
    password_hash text NOT NULL CONSTRAINT no_password_is_kept CHECK (password_hash LIKE '$argon2id$%'),
    created_at    timestamptz NOT NULL,
    disabled_at   timestamptz,
    CONSTRAINT an_auditor_and_an_admin_do_nothing_else CHECK (NOT roles && ARRAY['auditor', 'admin'] OR cardinality(roles) = 1),
    CONSTRAINT a_cashier_does_not_check CHECK (NOT ('cashier' = ANY (roles) AND roles && ARRAY['reviewer', 'approver']))
);

-- What people did, each entry linked to the one before it by a key that the database does not have. The head has a seal of its
-- own, so that nobody cuts the tail and sets it back.
CREATE TABLE audit_heads (
    is_only boolean CONSTRAINT there_is_one_audit_trail PRIMARY KEY DEFAULT true CHECK (is_only),
    seq     bigint NOT NULL,
    mac     bytea NOT NULL,
    seal    bytea NOT NULL
);
INSERT INTO audit_heads (seq, mac, seal) VALUES (0, '\x', '\x');
CREATE TABLE audit_entries (
    seq     bigint PRIMARY KEY CONSTRAINT an_audit_trail_counts_from_one CHECK (seq >= 1),
    at      timestamptz NOT NULL,
    "by"    text NOT NULL,
    action  text NOT NULL,
    subject text NOT NULL,
    data    jsonb NOT NULL,
    mac     bytea NOT NULL
);
CREATE INDEX audit_entries_by_subject ON audit_entries (subject, seq);
CREATE INDEX audit_entries_by_time ON audit_entries (at, seq);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Signatures from here on stand on the trail as well.
ALTER TABLE run_signatures ADD COLUMN on_trail boolean NOT NULL DEFAULT false;
ALTER TABLE run_signatures ALTER COLUMN on_trail SET DEFAULT true;

-- The way of a difference. It belongs to the row that opened it, whichever later run has it too.
DROP INDEX one_open_difference_a_fingerprint;
ALTER TABLE differences
    ADD COLUMN assigned_to text,
    ADD CONSTRAINT the_state_of_a_difference_is_known
        CHECK (status IN ('open', 'assigned', 'proposed', 'approved', 'resolved', 'written_off', 'cleared', 'superseded'));
-- What people ended and a newer run has again is the same difference still.
CREATE UNIQUE INDEX one_standing_difference_a_fingerprint ON differences (merchant_id, fingerprint)
    WHERE status NOT IN ('cleared', 'superseded') AND same_as IS NULL;

CREATE INDEX differences_standing ON differences (merchant_id, first_day)
    WHERE status IN ('open', 'assigned', 'proposed', 'approved') AND same_as IS NULL;

CREATE TABLE difference_steps (
    difference_id text NOT NULL REFERENCES differences,
    position      integer NOT NULL,
    event         text NOT NULL CONSTRAINT a_step_of_a_difference_is_known
                  CHECK (event IN ('assigned', 'proposed', 'approved', 'declined', 'resolved', 'written_off', 'matched', 'reopened',
                                   'cleared', 'superseded')),
    "by"          text NOT NULL,
    owner         text,
    action        text CONSTRAINT a_remedy_is_known
                  CHECK (action IN ('refund', 'write_off', 'force_match', 'park', 'ask_provider', 'corrected')),
    amount_fen    bigint CONSTRAINT a_write_off_is_of_some_money CHECK (amount_fen > 0),
    side          text CONSTRAINT a_write_off_is_long_or_short CHECK (side IN ('long', 'short')),
    journal       text,
    refund_id     text REFERENCES refunds,
    other_id      text REFERENCES differences,
    run_id        text REFERENCES runs,
    reason        text,
    told_at       timestamptz NOT NULL,
    PRIMARY KEY (difference_id, position),
    CONSTRAINT an_assignment_names_its_owner CHECK ((event = 'assigned') = (owner IS NOT NULL)),
    CONSTRAINT a_proposal_names_its_remedy CHECK ((event = 'proposed') = (action IS NOT NULL)),
    CONSTRAINT a_step_that_needs_a_reason_has_one CHECK (event NOT IN ('proposed', 'declined', 'reopened') OR reason IS NOT NULL),
    CONSTRAINT a_write_off_says_how_much CHECK ((COALESCE(action, event) IN ('write_off', 'written_off')) = (amount_fen IS NOT NULL)),
    CONSTRAINT a_write_off_names_its_journal CHECK ((event = 'written_off') = (journal IS NOT NULL) AND (journal IS NULL) = (side IS NULL)),
    CONSTRAINT a_refund_of_a_difference_is_named CHECK (action IS DISTINCT FROM 'refund' OR refund_id IS NOT NULL),
    CONSTRAINT a_forced_match_names_two_rows
        CHECK ((action IS DISTINCT FROM 'force_match' AND event <> 'matched' OR other_id IS NOT NULL) AND other_id IS DISTINCT FROM difference_id),
    CONSTRAINT what_a_run_ends_names_it CHECK (event NOT IN ('cleared', 'superseded') OR run_id IS NOT NULL)
);
CREATE INDEX difference_steps_by_other ON difference_steps (other_id) WHERE other_id IS NOT NULL;
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON difference_steps FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What the bill has more than the books by the newest row of a difference, refunds negative.
CREATE FUNCTION difference_apart(first_row text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (COALESCE(d.bill_amount_fen, 0)
            - CASE WHEN d.hub_state IN ('paid', 'processing', 'succeeded') THEN COALESCE(d.hub_amount_fen, 0) ELSE 0 END)
           * CASE d.direction WHEN 'refund' THEN -1 ELSE 1 END
      FROM differences d
     WHERE d.difference_id = first_row OR d.same_as = first_row
     ORDER BY d.difference_id DESC LIMIT 1
$$;

-- Who proposed and what was agreed to is looked up where it stands, so that no copy of it can lie.
CREATE FUNCTION check_difference_step() RETURNS trigger LANGUAGE plpgsql AS $$
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
        WHEN (COALESCE(before.event, '') IN ('resolved', 'matched', 'written_off')) <> (NEW.event = 'reopened')
             OR COALESCE(before.event, '') IN ('cleared', 'superseded') THEN 'what_is_over_is_taken_up_again_first'
        -- Spaces and large letters make no other person of a name.
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
CREATE CONSTRAINT TRIGGER steps_of_a_difference_follow
    AFTER INSERT ON difference_steps
    FOR EACH ROW EXECUTE FUNCTION check_difference_step();

-- A difference as it stands: what the newest row says of it, and its steps.
CREATE VIEW difference_documents AS
SELECT f.difference_id, f.merchant_id, f.status, f.assigned_to, f.first_day,
       jsonb_build_object('id', f.difference_id, 'run_id', n.run_id, 'merchant_id', f.merchant_id, 'kind', n.kind,
           'direction', n.direction, 'out_trade_no', n.out_trade_no, 'out_refund_no', n.out_refund_no,
           'provider_trade_no', n.provider_trade_no, 'hub_amount_fen', n.hub_amount_fen, 'bill_amount_fen', n.bill_amount_fen,
           'hub_state', n.hub_state, 'bill_state', n.bill_state, 'detail', n.detail, 'cause', n.cause,
           'proposed_action', n.proposed_action, 'first_day', f.first_day, 'status', f.status, 'owner', f.assigned_to,
           'opened_at', f.opened_at,
           'steps', COALESCE((SELECT jsonb_agg(jsonb_build_object('position', s.position, 'event', s.event, 'by', s."by",
                                         'owner', s.owner, 'action', s.action, 'amount_fen', s.amount_fen, 'side', s.side,
                                         'journal', s.journal, 'refund_id', s.refund_id, 'other_id', s.other_id, 'run_id', s.run_id,
                                         'reason', s.reason, 'told_at', s.told_at) ORDER BY s.position)
                                FROM difference_steps s WHERE s.difference_id = f.difference_id), '[]')) AS document
  FROM differences f
 CROSS JOIN LATERAL (SELECT * FROM differences v WHERE v.difference_id = f.difference_id OR v.same_as = f.difference_id
                      ORDER BY v.difference_id DESC LIMIT 1) n
 WHERE f.same_as IS NULL;

-- An older program ends differences without a step.
UPDATE schema_needs SET least = 20;
