-- Fees that were paid over to the treasury (缴库), and refunds of them, which only the treasury can pay (退付).

-- A remittance is a fact: what of which payment's share in a fee left for the treasury. Append-only.
CREATE TABLE remittances (
    remittance_id  text PRIMARY KEY,
    application_id text NOT NULL REFERENCES applications,
    reference      text NOT NULL,
    remitted_on    date NOT NULL,
    amount_fen     bigint NOT NULL CONSTRAINT a_remittance_is_positive CHECK (amount_fen > 0),
    created_at     timestamptz NOT NULL,
    CONSTRAINT a_remittance_reference_is_used_once UNIQUE (application_id, reference)
);
CREATE TABLE remittance_shares (
    remittance_id text NOT NULL REFERENCES remittances,
    payment_id    text NOT NULL REFERENCES payments,
    fee_id        text NOT NULL REFERENCES fees,
    amount_fen    bigint NOT NULL CONSTRAINT a_remitted_share_is_positive CHECK (amount_fen > 0),
    PRIMARY KEY (remittance_id, payment_id, fee_id),
    CONSTRAINT only_what_a_payment_paid_for_a_fee_is_remitted FOREIGN KEY (payment_id, fee_id) REFERENCES payment_shares
);
CREATE INDEX remittance_shares_by_payment ON remittance_shares (payment_id, fee_id);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON remittances FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON remittance_shares FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- treasury_refunding_fen is the part of refunding_fen that the treasury pays; the rest comes out of what was not remitted.
ALTER TABLE fee_balances
    ADD COLUMN remitted_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN treasury_refunding_fen bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT the_treasury_gives_back_only_what_was_remitted CHECK (treasury_refunding_fen BETWEEN 0 AND remitted_fen),
    ADD CONSTRAINT what_was_remitted_goes_back_through_the_treasury CHECK (refunding_fen - treasury_refunding_fen + remitted_fen <= paid_fen);

-- A refund through the treasury has no call to a provider: there is nothing that could be sent.
ALTER TABLE refunds
    ADD COLUMN route text NOT NULL DEFAULT 'provider' CONSTRAINT a_refund_has_a_known_route CHECK (route IN ('provider', 'treasury')),
    ADD COLUMN found_by_office boolean NOT NULL DEFAULT false,
    ALTER COLUMN refund_call DROP NOT NULL,
    ADD CONSTRAINT only_a_refund_by_the_provider_has_a_call CHECK ((refund_call IS NOT NULL) = (route = 'provider')),
    ADD CONSTRAINT surplus_never_goes_through_the_treasury CHECK (surplus_fen = 0 OR route = 'provider'),
    ADD CONSTRAINT the_treasurys_refund_is_in_a_state_of_its_route CHECK (route = 'provider' OR state IN ('pending_approval', 'declined', 'processing', 'succeeded', 'failed'));

-- The steps of a refund through the treasury, in their order. Append-only.
CREATE TABLE treasury_steps (
    refund_id    text NOT NULL REFERENCES refunds,
    position     integer NOT NULL,
    event        text NOT NULL CONSTRAINT a_treasury_step_is_known CHECK (event IN ('applied', 'verified', 'approved', 'paid', 'rejected')),
    occurred_on  date NOT NULL,
    by           text NOT NULL,
    requested_by text NOT NULL,
    document_no  text,
    red_flush    text,
    reason       text,
    told_at      timestamptz NOT NULL,
    PRIMARY KEY (refund_id, position),
    CONSTRAINT a_treasury_step_is_taken_once UNIQUE (refund_id, event),
    CONSTRAINT nobody_verifies_or_approves_his_own_refund CHECK (event NOT IN ('verified', 'approved') OR by <> requested_by),
    CONSTRAINT a_rejection_says_why CHECK (event <> 'rejected' OR reason IS NOT NULL)
);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON treasury_steps FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
