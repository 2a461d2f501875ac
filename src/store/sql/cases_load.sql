-- A case with its events in order, as JSON; no row when the application has none of that number.
SELECT jsonb_build_object(
           'application_id', c.application_id, 'case_no', c.case_no, 'business_type', c.business_type,
           'accepted_at', c.accepted_at, 'promised_working_days', c.promised_working_days,
           'legal_working_days', c.legal_working_days, 'department', c.department, 'handler', c.handler,
           'applicant', c.applicant_masked, 'locale', c.locale, 'opened_at', c.opened_at, 'light', c.light,
           'deadline_on', c.deadline_on, 'deadline_version', c.deadline_version,
           'events', COALESCE((SELECT jsonb_agg(jsonb_build_object(
                                   'seq', e.seq, 'event', e.event, 'occurred_at', e.occurred_at, 'reason', e.reason,
                                   'due_on', e.due_on, 'place', e.place, 'tel', e.tel) ORDER BY e.seq)
                                 FROM case_events e
                                WHERE e.application_id = c.application_id AND e.case_no = c.case_no), '[]'))
  FROM cases c
 WHERE c.application_id = $1 AND c.case_no = $2
