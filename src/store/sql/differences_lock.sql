-- Locks differences, given by any of their rows, and those that their steps name, in the order of their ids; no row when all are
-- unknown.
SELECT d.difference_id FROM differences d
 WHERE d.same_as IS NULL
   AND d.difference_id IN (
       SELECT COALESCE(same_as, difference_id) FROM differences WHERE difference_id = ANY ($1)
       UNION
       SELECT s.other_id FROM differences g JOIN difference_steps s ON s.difference_id = COALESCE(g.same_as, g.difference_id)
        WHERE g.difference_id = ANY ($1) AND s.other_id IS NOT NULL)
 ORDER BY d.difference_id
   FOR UPDATE
