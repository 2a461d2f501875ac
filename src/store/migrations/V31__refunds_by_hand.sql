-- Refunds that somebody made by hand in the provider's portal (渠道后台手工退款), taken into the books when the bill has
-- them and a query proves them: nobody asked for them here, so no call was ever sent.
ALTER TABLE refunds
    ADD COLUMN made_by_hand boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT only_a_refund_by_the_provider_has_a_call,
    ADD CONSTRAINT a_refund_that_the_hub_asks_its_provider_for_has_a_call CHECK ((refund_call IS NOT NULL) = (route = 'provider' AND NOT made_by_hand)),
    ADD CONSTRAINT only_the_provider_gives_back_by_hand CHECK (NOT made_by_hand OR route = 'provider'),
    ADD CONSTRAINT what_was_made_by_hand_is_not_asked_for CHECK (NOT made_by_hand OR state IN ('processing', 'succeeded', 'failed', 'abnormal'));
