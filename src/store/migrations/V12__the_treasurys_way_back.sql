-- A refund through the treasury: nobody takes two of its steps, and what the treasury paid may come back to it. A remittance
-- that was told of wrong fees is taken back by another fact.

-- Who decided, who verified, who approved and who paid are looked up where they stand, so that no copy of them can lie.
CREATE FUNCTION check_treasury_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.event IN ('verified', 'approved', 'paid')
       AND EXISTS (SELECT FROM treasury_steps t
                    WHERE t.refund_id = NEW.refund_id AND t.by = NEW."by" AND t.position < NEW.position
                      AND t.event IN ('applied', 'verified', 'approved') AND t.event <> NEW.event)
       OR NEW.event IN ('approved', 'paid')
       AND EXISTS (SELECT FROM refunds r WHERE r.refund_id = NEW.refund_id AND r.decided_by = NEW."by")
    THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            CONSTRAINT = 'nobody_takes_two_steps_of_a_treasury_refund',
            MESSAGE = 'refund ' || NEW.refund_id || ': ' || NEW.event || ' by somebody who took an earlier step';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER nobody_takes_two_steps_of_a_treasury_refund
    AFTER INSERT ON treasury_steps
    FOR EACH ROW EXECUTE FUNCTION check_treasury_step();

-- A payment may come back and be made again; every other step is taken once.
ALTER TABLE treasury_steps
    DROP CONSTRAINT a_treasury_step_is_known,
    ADD CONSTRAINT a_treasury_step_is_known CHECK (event IN ('applied', 'verified', 'approved', 'paid', 'returned', 'rejected')),
    DROP CONSTRAINT a_rejection_says_why,
    ADD CONSTRAINT a_return_and_a_rejection_say_why CHECK (event NOT IN ('returned', 'rejected') OR reason IS NOT NULL),
    DROP CONSTRAINT a_treasury_step_is_taken_once;
CREATE UNIQUE INDEX a_treasury_step_is_taken_once ON treasury_steps (refund_id, event) WHERE event NOT IN ('paid', 'returned');

-- A remittance stays on record; that it is taken back is a fact of its own. Append-only.
CREATE TABLE remittance_reversals (
    remittance_id text CONSTRAINT a_remittance_is_reversed_once PRIMARY KEY REFERENCES remittances,
    reason        text NOT NULL,
    reversed_at   timestamptz NOT NULL
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON remittance_reversals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- What stands of remittances.
CREATE VIEW standing_remittance_shares AS
SELECT s.remittance_id, s.payment_id, s.fee_id, s.amount_fen
  FROM remittance_shares s
 WHERE NOT EXISTS (SELECT FROM remittance_reversals v WHERE v.remittance_id = s.remittance_id);
