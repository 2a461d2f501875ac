-- A second's queries have two shares: of those who follow orders, and of others (refunds, whoever asks for one order,
-- reconciliation). Neither can use what is kept for the other. The function of four parameters stays for hubs that have not
-- been replaced yet; `granted` is only theirs.
ALTER TABLE query_budgets ADD COLUMN others bigint NOT NULL DEFAULT 0, ALTER COLUMN granted SET DEFAULT 0;

-- What a second still carries for an asker whose share is `own`, of `whole` in all.
CREATE FUNCTION queries_left(merchant text, asked_at timestamptz, whole bigint, own bigint, is_other boolean) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT greatest(0, COALESCE((
        SELECT least(whole - b.taken, own - CASE WHEN is_other THEN b.others ELSE b.taken - b.others END)
          FROM query_budgets b
         WHERE b.merchant_id = merchant
           AND b.second BETWEEN date_trunc('second', asked_at) AND date_trunc('second', asked_at) + interval '5 seconds'),
        least(whole, own)))
$$;

-- Takes up to `wanted` of what is left for an asker. The second is the hubs' and not the database's: a hub whose clock is a
-- little behind takes from the newest second, and one that was far ahead does not hold up the others.
CREATE FUNCTION take_queries(merchant text, asked_at timestamptz, whole bigint, own bigint, is_other boolean, wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    -- The row is locked from here on, also where its second goes on.
    INSERT INTO query_budgets AS b (merchant_id, second, taken) VALUES (merchant, date_trunc('second', asked_at), 0)
    ON CONFLICT (merchant_id) DO UPDATE SET second = excluded.second, taken = 0, others = 0
     WHERE b.second < excluded.second OR b.second > excluded.second + interval '5 seconds';
    n := least(wanted, queries_left(merchant, asked_at, whole, own, is_other));
    UPDATE query_budgets SET taken = taken + n, others = others + CASE WHEN is_other THEN n ELSE 0 END
     WHERE merchant_id = merchant AND n > 0;
    RETURN n;
END
$$;
