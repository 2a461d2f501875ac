-- Bills name payers, so they are sealed at rest; a file that was refused is kept as evidence.

-- What was stored before is read as it stands.
ALTER TABLE bill_files ADD COLUMN is_sealed boolean NOT NULL DEFAULT false;
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON bill_files FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Files that a provider gave as a day's bill and that were refused (sealed): nothing was taken from them.
CREATE TABLE damaged_bills (
    damaged_bill_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id     text NOT NULL,
    bill_date       date NOT NULL,
    sha256          bytea NOT NULL,
    content         bytea NOT NULL,
    why             text NOT NULL,
    fetched_at      timestamptz NOT NULL,
    CONSTRAINT a_damaged_bill_is_kept_once UNIQUE (merchant_id, bill_date, sha256)
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON damaged_bills FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An older program would take a sealed bill for a damaged one.
UPDATE schema_needs SET least = 25;
