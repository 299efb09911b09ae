-- The orchestrators that workers hold.
-- $1 the workers
SELECT e.id, coalesce(e.alias, e.id::text), e.workflow, e.queue, e.token, coalesce(e.crashes, 0), e.cancel_requested_at IS NOT NULL, e.worker,
       coalesce(e.parent_alias, e.parent_id::text) || '.' || e.parent_seq
FROM (SELECT DISTINCT unnest(executions) AS id FROM stent.held WHERE worker = ANY ($1::integer[])) AS h
JOIN stent.executions AS e ON e.id = h.id
WHERE e.worker = ANY ($1) AND e.state = 'running'
ORDER BY e.id;
