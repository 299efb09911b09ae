-- Has workers told of the activities that cancel_tasks.sql takes from them.
INSERT INTO recalls (worker_id, task, token, at)
SELECT t.claimed_by, t.id, t.token, :now
FROM executions AS e
JOIN tasks AS t ON t.id BETWEEN e.n << 20 AND e.n << 20 | 1048575
WHERE e.n = :n AND e.task_state <> 'running' AND t.state = 'running' AND t.claimed_by IS NOT NULL
ON CONFLICT (worker_id, task) DO UPDATE SET token = excluded.token, at = excluded.at;
