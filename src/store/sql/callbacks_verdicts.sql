-- The verdicts of stored callbacks, after a commit of which nobody heard; no row for one that is not stored.
SELECT callback_id, verdict FROM callbacks WHERE callback_id = ANY ($1)
