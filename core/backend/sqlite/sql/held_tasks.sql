-- The activities that a worker holds: those it claimed, and those that stand on an orchestrator which it holds.
SELECT t.n, e.id, t.seq, t.step, t.queue, t.token, t.crashes
FROM tasks AS t
JOIN executions AS e ON e.n = t.id >> 20
WHERE t.claimed_by = :worker_id
UNION ALL
SELECT t.n, e.id, t.seq, t.step, t.queue, t.token, t.crashes
FROM executions AS e
JOIN tasks AS t ON t.id BETWEEN e.n << 20 AND e.n << 20 | 1048575
WHERE e.worker_id = :worker_id AND e.task_state = 'running' AND t.state = 'running' AND t.claimed_by IS NULL
ORDER BY 1, 3;
