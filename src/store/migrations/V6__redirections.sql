-- When a refund was last sent to another account. Empty again once its provider has refused that, or has said when asked
-- later that the refund is still abnormal: until then a second redirection could give the money away twice.
ALTER TABLE refunds ADD COLUMN redirected_at timestamptz;
