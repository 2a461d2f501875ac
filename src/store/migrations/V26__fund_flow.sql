-- The fund flow bill (资金账单) of a merchant's day, held against its trade bill by the day's run.

-- Fund flow bills as fetched, sealed; each content of a day is stored once.
CREATE TABLE fund_bill_files (
    fund_bill_file_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id       text NOT NULL,
    bill_date         date NOT NULL,
    sha256            bytea NOT NULL,
    content           bytea NOT NULL,
    fetched_at        timestamptz NOT NULL,
    CONSTRAINT a_fund_flow_bill_is_stored_once UNIQUE (merchant_id, bill_date, sha256)
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON fund_bill_files FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Days whose run ended without the fund flow bill: it is asked for again, and what comes makes a new version.
CREATE TABLE fund_bill_waits (
    merchant_id  text NOT NULL,
    bill_date    date NOT NULL,
    next_at      timestamptz NOT NULL,
    tries        integer NOT NULL DEFAULT 0,
    why          text NOT NULL,
    leased_until timestamptz,
    CONSTRAINT a_day_waits_once_for_its_fund_flow_bill PRIMARY KEY (merchant_id, bill_date)
);
