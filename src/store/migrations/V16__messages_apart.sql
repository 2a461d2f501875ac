-- Of a receiver whose endpoint is disabled or waits, a claim looks here, where none of its events stand, and so reads over
-- none of them: a channel of messages may have the same name. No other index fits the expression.
CREATE INDEX deliveries_due_messages ON deliveries ((receiver || ''), next_at, delivery_id)
    WHERE kind = 'sms' AND state IN ('due', 'sending', 'querying');
