-- A refund that somebody made in the provider's portal (商户平台退款): a bill lists it and a query confirms it. Nobody here asked
-- for it, and no call of ours did.
ALTER TABLE refunds
    ADD COLUMN origin text NOT NULL DEFAULT 'hub' CONSTRAINT a_refund_has_a_known_origin CHECK (origin IN ('hub', 'portal')),
    ALTER COLUMN requested_by DROP NOT NULL,
    ADD CONSTRAINT only_a_refund_of_the_portal_has_no_requester CHECK ((requested_by IS NULL) = (origin = 'portal')),
    ADD CONSTRAINT a_refund_of_the_portal_goes_by_the_provider CHECK (origin = 'hub' OR route = 'provider'),
    ADD CONSTRAINT a_refund_of_the_portal_waits_for_nobody CHECK (origin = 'hub' OR state IN ('processing', 'succeeded', 'failed', 'abnormal')),
    DROP CONSTRAINT only_a_refund_by_the_provider_has_a_call,
    ADD CONSTRAINT only_a_refund_that_the_hub_sends_has_a_call CHECK ((refund_call IS NOT NULL) = (route = 'provider' AND origin = 'hub'));
