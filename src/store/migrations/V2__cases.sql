-- Cases (办件) as the hub mirrors them: what was told at acceptance, the events since, and the lights that were told.

-- The upper part is frozen when the case is opened. The lower part is what the events and the day have made of it, kept
-- for lists and so that a change is seen: state, light and deadline are always computed anew from the events. look_at is
-- when the light may change next; deadline_on is null while the clock stands.
CREATE TABLE cases (
    application_id        text NOT NULL REFERENCES applications,
    case_no               text NOT NULL,
    business_type         text NOT NULL,
    accepted_at           timestamptz NOT NULL,
    promised_working_days integer NOT NULL CONSTRAINT a_promise_is_between_none_and_a_thousand_days CHECK (promised_working_days BETWEEN 0 AND 1000),
    legal_working_days    integer CONSTRAINT a_legal_limit_is_between_none_and_a_thousand_days CHECK (legal_working_days BETWEEN 0 AND 1000),
    department            text,
    handler               text,
    applicant_masked      jsonb NOT NULL,
    applicant_sealed      bytea NOT NULL,
    phone_sealed          bytea,
    phone_index           bytea,
    locale                text NOT NULL,
    content_index         bytea NOT NULL,
    opened_at             timestamptz NOT NULL,

    state            text NOT NULL CONSTRAINT a_case_is_in_a_known_state CHECK (state IN ('accepted', 'supplementing', 'suspended', 'reviewing', 'approved', 'registered', 'certificate_ready', 'closed', 'rejected', 'withdrawn')),
    light            text NOT NULL CONSTRAINT a_case_has_a_known_light CHECK (light IN ('green', 'yellow', 'red')),
    deadline_on      date,
    deadline_version integer NOT NULL DEFAULT 1,
    look_at          timestamptz,
    CONSTRAINT a_case_is_opened_once PRIMARY KEY (application_id, case_no)
);
CREATE INDEX cases_to_look_at ON cases (look_at) WHERE look_at IS NOT NULL;

-- What was told of a case, in the order in which it was told: append-only.
CREATE TABLE case_events (
    application_id text NOT NULL,
    case_no        text NOT NULL,
    seq            integer NOT NULL CONSTRAINT the_events_of_a_case_count_from_one CHECK (seq >= 1),
    event          text NOT NULL CONSTRAINT a_case_event_is_known CHECK (event IN ('supplement', 'suspended', 'resumed', 'approved', 'registered', 'certificate_ready', 'closed', 'rejected', 'withdrawn')),
    occurred_at    timestamptz NOT NULL,
    reason         text,
    due_on         date,
    place          text,
    tel            text,
    told_at        timestamptz NOT NULL,
    CONSTRAINT the_events_of_a_case_are_in_order PRIMARY KEY (application_id, case_no, seq),
    FOREIGN KEY (application_id, case_no) REFERENCES cases
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON case_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The changes of light that the backend was told of: append-only.
CREATE TABLE case_lights (
    application_id   text NOT NULL,
    case_no          text NOT NULL,
    deadline_version integer NOT NULL,
    light            text NOT NULL,
    changed_at       timestamptz NOT NULL,
    CONSTRAINT a_light_is_told_once_for_each_deadline PRIMARY KEY (application_id, case_no, deadline_version, light),
    FOREIGN KEY (application_id, case_no) REFERENCES cases
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON case_lights FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
