-- Sets anew when money is due that has not arrived, as the calendar that is known now says; no row when nothing changes.
UPDATE settlements s SET due_on = n.due_on
  FROM unnest($1::text[], $2::date[]) AS n (settlement_id, due_on)
 WHERE s.settlement_id = n.settlement_id AND s.due_on <> n.due_on
   AND NOT EXISTS (SELECT FROM standing_match_days d WHERE d.settlement_id = s.settlement_id)
RETURNING s.settlement_id
