-- What is needed to find what nobody told the hub: who looks at an order, which closes got no answer, how many queries a
-- second carries; and what becomes of an incident.

-- watched_until: somebody has the order's page open until then, so it is asked for often. close_wanted_at: since when
-- somebody wants it closed whose provider has not said that it is; closes counts the closes that got no answer.
ALTER TABLE orders ADD COLUMN watched_until timestamptz, ADD COLUMN close_wanted_at timestamptz, ADD COLUMN closes integer NOT NULL DEFAULT 0;
ALTER TABLE combined_orders ADD COLUMN watched_until timestamptz, ADD COLUMN close_wanted_at timestamptz, ADD COLUMN closes integer NOT NULL DEFAULT 0;

-- How many queries of a merchant were taken in the newest second, by all hubs together; granted is what the last one got.
CREATE TABLE query_budgets (
    merchant_id text PRIMARY KEY,
    second      timestamptz NOT NULL,
    taken       bigint NOT NULL CONSTRAINT queries_are_taken_and_never_given_back CHECK (taken >= 0),
    granted     bigint NOT NULL
) WITH (fillfactor = 50);

-- Takes up to `wanted` of the `most` queries of a second, which is the hubs' second and not the database's. A hub whose
-- clock is a little behind takes from the newest second; one that was far ahead does not hold up the others. NULL when
-- nothing was wanted.
CREATE FUNCTION take_queries(merchant text, asked_at timestamptz, most bigint, wanted bigint) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO query_budgets AS b (merchant_id, second, taken, granted)
    SELECT merchant, date_trunc('second', asked_at), n, n FROM (SELECT greatest(0, least(most, wanted))) AS room (n)
     WHERE wanted > 0
    ON CONFLICT (merchant_id) DO UPDATE
       SET second = CASE WHEN b.second < excluded.second OR b.second > excluded.second + interval '5 seconds'
                         THEN excluded.second ELSE b.second END,
           taken = CASE WHEN b.second < excluded.second OR b.second > excluded.second + interval '5 seconds'
                        THEN excluded.taken ELSE b.taken + greatest(0, least(wanted, most - b.taken)) END,
           granted = CASE WHEN b.second < excluded.second OR b.second > excluded.second + interval '5 seconds'
                          THEN excluded.granted ELSE greatest(0, least(wanted, most - b.taken)) END
    RETURNING granted
$$;

-- Who closed an incident, and what came of it.
ALTER TABLE incidents ADD COLUMN closed_by text, ADD COLUMN note text,
    ADD CONSTRAINT a_closed_incident_says_by_whom_and_why CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (note IS NULL));
CREATE INDEX incidents_open ON incidents (merchant_id, kind) WHERE closed_at IS NULL;
CREATE INDEX incidents_by_order ON incidents (order_id) WHERE order_id IS NOT NULL;
