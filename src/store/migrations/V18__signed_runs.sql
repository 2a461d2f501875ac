-- A day's reconciliation is prepared by one person and reviewed by another; then it is locked, and what they signed is kept
-- as it was.

ALTER TABLE runs
    ADD CONSTRAINT a_sign_off_is_known CHECK (sign_off IN ('none', 'prepared', 'reviewed', 'reopened')),
    ADD CONSTRAINT only_an_ended_run_is_signed CHECK (sign_off = 'none' OR status IN ('balanced', 'unbalanced'));

-- Who signed a run, and over what: the digest of all that its papers are made of, and the journal's head on them.
CREATE TABLE run_signatures (
    run_id        text NOT NULL REFERENCES runs,
    position      smallint NOT NULL,
    event         text NOT NULL CONSTRAINT a_signature_is_known
                  CHECK (event IN ('prepared', 'reviewed', 'returned', 'reopen_asked', 'reopened')),
    "by"          text NOT NULL,
    reason        text,
    report_sha256 bytea NOT NULL,
    signed_at     timestamptz NOT NULL,
    PRIMARY KEY (run_id, position),
    CONSTRAINT whoever_gives_a_run_back_says_why CHECK (event NOT IN ('returned', 'reopen_asked') OR reason IS NOT NULL)
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON run_signatures FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Who prepared and who asked are looked up where they stand, so that no copy of them can lie.
CREATE FUNCTION check_run_signature() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other text;
BEGIN
    SELECT s."by" INTO other FROM run_signatures s
     WHERE s.run_id = NEW.run_id AND s.position < NEW.position
       AND s.event = CASE NEW.event WHEN 'reviewed' THEN 'prepared' WHEN 'reopened' THEN 'reopen_asked' END
     ORDER BY s.position DESC LIMIT 1;
    -- Spaces and large letters make no other person of a name.
    IF NEW.event = 'reviewed'
       AND (other IS NULL OR lower(regexp_replace(other, '\s', '', 'g')) = lower(regexp_replace(NEW."by", '\s', '', 'g'))) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_reviews_what_he_prepared',
            MESSAGE = 'run ' || NEW.run_id || ': prepared and reviewed by one person';
    END IF;
    IF NEW.event = 'reopened'
       AND (other IS NULL OR lower(regexp_replace(other, '\s', '', 'g')) = lower(regexp_replace(NEW."by", '\s', '', 'g'))) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_reopens_a_run_alone',
            MESSAGE = 'run ' || NEW.run_id || ': opened again by one person';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER run_signatures_are_of_two_people
    AFTER INSERT ON run_signatures
    FOR EACH ROW EXECUTE FUNCTION check_run_signature();

-- The papers of a reviewed run, byte for byte as they were then.
CREATE TABLE signed_papers (
    run_id  text NOT NULL REFERENCES runs,
    form    text NOT NULL CONSTRAINT a_paper_has_a_known_form CHECK (form IN ('xlsx', 'html', 'csv')),
    content bytea NOT NULL,
    sha256  bytea NOT NULL,
    PRIMARY KEY (run_id, form),
    CONSTRAINT a_paper_is_what_its_digest_says CHECK (sha256 = sha256(content))
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON signed_papers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a reviewed run says stays as it was, and its day has no further version until two people open it again.
CREATE FUNCTION keep_signed_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- Whoever signs at this moment holds the row; what he did is looked at then.
        PERFORM FROM runs r WHERE r.merchant_id = NEW.merchant_id AND r.bill_date = NEW.bill_date FOR SHARE;
        IF EXISTS (SELECT FROM runs r WHERE r.merchant_id = NEW.merchant_id AND r.bill_date = NEW.bill_date AND r.sign_off = 'reviewed') THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_signed_day_has_no_new_version',
                MESSAGE = 'the run of ' || NEW.merchant_id || ' for ' || NEW.bill_date || ' is signed';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.sign_off <> NEW.sign_off
       AND (OLD.sign_off, NEW.sign_off) NOT IN (('none', 'prepared'), ('prepared', 'none'), ('prepared', 'reviewed'), ('reviewed', 'reopened'))
       OR OLD.sign_off <> 'none'
       AND (NEW.merchant_id, NEW.bill_date, NEW.version, NEW.finished_at, NEW.status, NEW.bill_file_id, NEW.summary, NEW.ledger, NEW.report, NEW.journal_seq, NEW.journal_mac)
           IS DISTINCT FROM (OLD.merchant_id, OLD.bill_date, OLD.version, OLD.finished_at, OLD.status, OLD.bill_file_id, OLD.summary, OLD.ledger, OLD.report, OLD.journal_seq, OLD.journal_mac)
    THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'what_is_signed_stays',
            MESSAGE = 'run ' || OLD.run_id || ' is signed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signed_runs_stay BEFORE INSERT OR UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION keep_signed_run();

-- Fee supervision reads the fees of some days.
CREATE INDEX fees_by_issue ON fees (issued_at, fee_id);
