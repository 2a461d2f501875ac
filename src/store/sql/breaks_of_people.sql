-- Where differences, signatures, the journal and the audit trail disagree about what people did, a sentence a row; no row when they
-- agree.
WITH steps AS (
    SELECT s.*, EXISTS (SELECT FROM difference_steps r
                         WHERE r.difference_id = s.difference_id AND r.position > s.position AND r.event = 'reopened') AS is_reopened,
           lag(event) OVER way AS before, lag(position) OVER way AS place_before, row_number() OVER way AS place,
           lead(event) OVER way IS NULL AS is_last
      FROM difference_steps s WINDOW way AS (PARTITION BY difference_id ORDER BY position)
)
SELECT format('difference %s: step %s (%s) does not follow %s', difference_id, position, event, COALESCE(before, 'a beginning')) AS break
  FROM steps
 WHERE position <> place
    OR CASE event WHEN 'assigned' THEN COALESCE(before, 'reopened') IN ('assigned', 'declined', 'reopened')
                  WHEN 'proposed' THEN before IN ('assigned', 'declined', 'approved')
                  WHEN 'approved' THEN before = 'proposed'
                  WHEN 'declined' THEN before = 'proposed'
                  WHEN 'resolved' THEN before = 'approved'
                  WHEN 'written_off' THEN before = 'approved'
                  -- Before schema 29 one person could take a write-off up again.
                  WHEN 'reopen_asked' THEN before = 'written_off'
                  WHEN 'reopened' THEN before IN ('resolved', 'written_off', 'matched', 'reopen_asked')
                  ELSE COALESCE(before, '') NOT IN ('resolved', 'written_off', 'matched', 'reopen_asked', 'cleared', 'superseded')
       END IS NOT TRUE
UNION ALL
SELECT format('difference %s is %s, its last step is %s', d.difference_id, d.status, COALESCE(s.event, 'none'))
  FROM differences d LEFT JOIN steps s ON s.difference_id = d.difference_id AND s.is_last
 WHERE d.same_as IS NULL
   -- What a run of an earlier program ended has no step.
   AND d.status <> CASE WHEN s.event IS NULL THEN CASE d.status WHEN 'cleared' THEN 'cleared' ELSE 'open' END
                        WHEN s.event = 'declined' THEN 'assigned' WHEN s.event = 'matched' THEN 'resolved'
                        WHEN s.event = 'reopened' THEN 'open' WHEN s.event = 'reopen_asked' THEN 'written_off' ELSE s.event END
UNION ALL
-- One entry for each write-off, and one more once it was taken back.
SELECT format('difference %s: its write-off (step %s) has %s entries in the journal of %s and %s that take it back', s.difference_id,
              s.position, count(e.seq) FILTER (WHERE e.kind = s.side || '_written_off'), s.journal,
              count(e.seq) FILTER (WHERE e.kind = s.side || '_taken_back'))
  FROM steps s
  LEFT JOIN journal_entries e ON e.subject_id = s.difference_id || '/' || s.position AND e.merchant_id = s.journal
 WHERE s.event = 'written_off'
 GROUP BY s.difference_id, s.position, s.journal, s.side, s.is_reopened
HAVING count(e.seq) FILTER (WHERE e.kind = s.side || '_written_off') <> 1
    OR count(e.seq) FILTER (WHERE e.kind = s.side || '_taken_back') <> CASE WHEN s.is_reopened THEN 1 ELSE 0 END
UNION ALL
-- What a person did stands on the trail, once. A run takes steps too, and is no person: those that a run takes, in its own name.
SELECT format('difference %s: step %s (%s by %s) stands on the audit trail %s times', s.difference_id, s.position, s.event, s."by", count(a.seq))
  FROM steps s
  LEFT JOIN audit_entries a ON a.subject = s.difference_id AND a.action = 'difference.' || s.event
        AND a.data ->> 'position' = s.position::text AND a."by" = s."by"
 WHERE NOT (s.run_id IS NOT NULL AND s."by" = s.run_id AND s.event IN ('cleared', 'superseded', 'reopened'))
 GROUP BY s.difference_id, s.position, s.event, s."by" HAVING count(a.seq) <> 1
UNION ALL
SELECT format('run %s: signature %s (%s by %s) stands on the audit trail %s times', s.run_id, s.position, s.event, s."by", count(a.seq))
  FROM run_signatures s
  LEFT JOIN audit_entries a ON a.subject = s.run_id AND a.action = 'run.' || s.event
        AND a.data ->> 'position' = s.position::text AND a."by" = s."by"
 WHERE s.on_trail
 GROUP BY s.run_id, s.position, s.event, s."by" HAVING count(a.seq) <> 1
UNION ALL
-- Who may do what is as the trail says that it was made: the newest word of it counts.
SELECT format('user %s has the roles %s, the audit trail says %s', COALESCE(u.name, a.subject), COALESCE(array_to_string(u.roles, ', '), 'none'),
              COALESCE(a.data ->> 'roles', 'nothing'))
  FROM users u FULL JOIN (SELECT * FROM audit_entries WHERE action = 'user.added') a ON a.subject = u.name
 WHERE a.data -> 'roles' IS DISTINCT FROM to_jsonb(u.roles)
UNION ALL
SELECT format('user %s is %s, the audit trail has been told %s times that the user is disabled', u.name,
              CASE WHEN u.disabled_at IS NULL THEN 'enabled' ELSE 'disabled' END, count(a.seq))
  FROM users u LEFT JOIN audit_entries a ON a.subject = u.name AND a.action = 'user.disabled'
 GROUP BY u.name, u.disabled_at HAVING count(a.seq) <> CASE WHEN u.disabled_at IS NULL THEN 0 ELSE 1 END
