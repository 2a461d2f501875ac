-- Doubts that end, differences that keep their identity over the versions of a run, and runs that cannot be begun twice.

-- A difference that an older run has found is found again by the next version; same_as names it then. Only the first is
-- open, assigned and closed; the others are what their run saw of it. first_day is the day of its money.
ALTER TABLE differences
    ADD COLUMN merchant_id text,
    ADD COLUMN fingerprint text,
    ADD COLUMN first_day   date,
    ADD COLUMN same_as     text REFERENCES differences,
    ADD COLUMN closed_run  text REFERENCES runs,
    ADD COLUMN closed_at   timestamptz;
UPDATE differences d SET merchant_id = r.merchant_id, first_day = r.bill_date, fingerprint = d.difference_id,
       status = CASE WHEN EXISTS (SELECT FROM runs n WHERE n.merchant_id = r.merchant_id AND n.bill_date = r.bill_date
                                     AND n.version > r.version AND n.finished_at IS NOT NULL)
                     THEN 'cleared' ELSE d.status END
  FROM runs r WHERE r.run_id = d.run_id;
ALTER TABLE differences
    ALTER COLUMN merchant_id SET NOT NULL,
    ALTER COLUMN fingerprint SET NOT NULL,
    ALTER COLUMN first_day SET NOT NULL;
CREATE UNIQUE INDEX one_open_difference_a_fingerprint ON differences (merchant_id, fingerprint)
    WHERE status = 'open' AND same_as IS NULL;
CREATE INDEX differences_repeated ON differences (same_as) WHERE same_as IS NOT NULL;

-- A doubt is carried over the files of the days after its own until it is decided. finding is the whole of it, for the
-- report of the run that makes a difference of it.
ALTER TABLE doubts
    ADD COLUMN merchant_id     text,
    ADD COLUMN fingerprint     text,
    ADD COLUMN finding         jsonb,
    ADD COLUMN state           text NOT NULL DEFAULT 'open' CONSTRAINT a_doubt_is_in_a_known_state
                                   CHECK (state IN ('open', 'matched', 'answered', 'promoted', 'superseded')),
    ADD COLUMN files_waited    integer NOT NULL DEFAULT 0 CONSTRAINT files_are_counted_upwards CHECK (files_waited >= 0),
    ADD COLUMN resolved_by_run text REFERENCES runs,
    ADD COLUMN difference_id   text REFERENCES differences;
UPDATE doubts d SET merchant_id = r.merchant_id, fingerprint = d.doubt_id,
       finding = r.report #> ARRAY['result', 'doubts', (d.position - 1)::text],
       resolved_by_run = newest.run_id,
       state = CASE WHEN newest.run_id IS NULL THEN 'open' ELSE 'superseded' END
  FROM runs r
       LEFT JOIN LATERAL (SELECT run_id FROM runs n
                           WHERE n.merchant_id = r.merchant_id AND n.bill_date = r.bill_date AND n.version > r.version
                             AND n.finished_at IS NOT NULL ORDER BY version DESC LIMIT 1) newest ON true
 WHERE r.run_id = d.run_id;
ALTER TABLE doubts
    ALTER COLUMN merchant_id SET NOT NULL,
    ALTER COLUMN fingerprint SET NOT NULL,
    ALTER COLUMN finding SET NOT NULL,
    ADD CONSTRAINT a_decided_doubt_names_its_run CHECK ((state = 'open') = (resolved_by_run IS NULL)),
    ADD CONSTRAINT a_promoted_doubt_names_its_difference CHECK ((state = 'promoted') = (difference_id IS NOT NULL));
CREATE UNIQUE INDEX one_open_doubt_a_fingerprint ON doubts (merchant_id, fingerprint) WHERE state = 'open';

-- One day of an account is worked on by one run at a time.
UPDATE runs r SET status = 'failed', next_at = NULL, failure = 'a newer run of this day was begun'
 WHERE next_at IS NOT NULL AND EXISTS (SELECT FROM runs n WHERE n.merchant_id = r.merchant_id AND n.bill_date = r.bill_date
                                          AND n.version > r.version AND n.next_at IS NOT NULL);
CREATE UNIQUE INDEX one_unfinished_run_a_day ON runs (merchant_id, bill_date) WHERE next_at IS NOT NULL;
ALTER TABLE runs ADD COLUMN refetch boolean NOT NULL DEFAULT true;

-- An older program writes neither fingerprints nor the ends of doubts.
UPDATE schema_needs SET least = 17;
