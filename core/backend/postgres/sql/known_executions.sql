-- What tells whether changes of orchestrators were applied before, or may be.
-- $1 id
SELECT id, state::text, token, coalesce(worker, 0), coalesce(effects, 0), cancel_requested_at IS NOT NULL, coalesce(run, 1)
FROM stent.executions
WHERE id = ANY ($1::uuid[]);
