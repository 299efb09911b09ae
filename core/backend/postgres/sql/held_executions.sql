-- The orchestrators that workers hold.
-- $1 the workers
SELECT id, coalesce(alias, id::text), workflow, queue, token, coalesce(crashes, 0), cancel_requested_at IS NOT NULL, worker
FROM stent.executions
WHERE worker = ANY ($1::integer[]) AND state = 'running'
ORDER BY id;
