-- What the providers' further products need to be remembered: for how long a code is good, who it was made for, when a
-- refund may leave, and where one that the payer's account refused is sent instead.

-- placed_at is when pay was given, because codes live shorter than orders. payer_index says, unreadably, whom the order
-- was made for: the barcode at the counter, or the one account that may pay.
ALTER TABLE orders ADD COLUMN placed_at timestamptz, ADD COLUMN payer_index bytea;

-- Providers want a pause between two refunds of one payment; until then the refund waits here.
ALTER TABLE refunds ADD COLUMN send_after timestamptz;

-- An abnormal refund that is sent to another account (异常退款): append-only, the call sealed because it names a card.
CREATE TABLE refund_redirects (
    redirect_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    refund_id   text NOT NULL REFERENCES refunds,
    account     text NOT NULL CONSTRAINT a_refund_is_redirected_to_a_known_account CHECK (account IN ('payer_card', 'merchant_account')),
    call        bytea NOT NULL,
    asked_by    text NOT NULL,
    asked_at    timestamptz NOT NULL
);
CREATE INDEX refund_redirects_by_refund ON refund_redirects (refund_id);
CREATE TRIGGER facts_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON refund_redirects FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
