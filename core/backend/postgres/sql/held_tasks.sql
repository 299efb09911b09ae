-- The activities that workers hold: those they claimed, and those that stand on an orchestrator which they hold.
-- $1 the workers
SELECT t.execution_id, coalesce(e.alias, e.id::text), t.seq, t.step, t.queue, t.token, coalesce(t.crashes, 0), t.claimed_by
FROM stent.tasks AS t
JOIN stent.executions AS e ON e.id = t.execution_id
WHERE t.claimed_by = ANY ($1::integer[])
UNION ALL
SELECT t.execution_id, coalesce(e.alias, e.id::text), t.seq, t.step, t.queue, t.token, coalesce(t.crashes, 0), e.worker
FROM (SELECT DISTINCT unnest(executions) AS id FROM stent.held WHERE worker = ANY ($1)) AS h
JOIN stent.executions AS e ON e.id = h.id
JOIN stent.tasks AS t ON t.execution_id = e.id
WHERE e.worker = ANY ($1::integer[]) AND e.state = 'running' AND t.state = 'running' AND t.claimed_by IS NULL
ORDER BY 1, 3;
