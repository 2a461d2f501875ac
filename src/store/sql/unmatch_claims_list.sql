-- Who asked to take a match back, in order; no row when nobody did.
SELECT "by" FROM unmatch_claims WHERE match_id = $1 ORDER BY position
