-- The tasks that were taken from a worker while it ran them. After ten minutes it has been told often enough.
-- $1 the worker
WITH told AS (
    DELETE FROM stent.recalls WHERE worker = $1 AND at < clock_timestamp() - interval '10 minutes'
)
SELECT coalesce(e.alias, e.id::text), r.seq, r.token,
       CASE WHEN e.finished_at IS NOT NULL THEN e.state::text WHEN e.cancel_requested_at IS NOT NULL THEN 'cancelling' ELSE 'running' END,
       coalesce((extract(epoch FROM e.deadline_at - e.created_at) * 1000000)::bigint, 0)
FROM stent.recalls AS r JOIN stent.executions AS e ON e.id = r.execution_id
WHERE r.worker = $1
ORDER BY r.execution_id, r.seq;
