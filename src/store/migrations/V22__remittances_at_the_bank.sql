-- Which debit at the bank is which remittance to the treasury. Append-only.
CREATE TABLE remittance_debits (
    remittance_id text CONSTRAINT a_remittance_leaves_once PRIMARY KEY REFERENCES remittances,
    bank_serial   text NOT NULL REFERENCES bank_lines CONSTRAINT a_debit_is_one_remittance UNIQUE,
    matched_at    timestamptz NOT NULL
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON remittance_debits FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_remittance_debit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM bank_lines b JOIN remittances m ON m.amount_fen = b.amount_fen
                    WHERE b.bank_serial = NEW.bank_serial AND b.direction = 'out' AND m.remittance_id = NEW.remittance_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'a_remittance_is_what_left_the_bank',
            MESSAGE = 'bank line ' || NEW.bank_serial || ' is not what remittance ' || NEW.remittance_id || ' says';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_remittance_is_what_left_the_bank AFTER INSERT ON remittance_debits
    FOR EACH ROW EXECUTE FUNCTION check_remittance_debit();
