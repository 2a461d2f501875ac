-- The remittance of an application with that reference; no row when there is none.
SELECT remittance_id FROM remittances WHERE application_id = $1 AND reference = $2
