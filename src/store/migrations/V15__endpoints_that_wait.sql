-- An endpoint that asked to hear nothing (Retry-After on 429 or 503) is left alone until then, by every hub.
ALTER TABLE applications ADD COLUMN webhook_held_until timestamptz;
