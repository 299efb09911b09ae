-- Has another worker told of a task that forget.sql takes from it.
INSERT INTO recalls (worker_id, task, token, at)
SELECT claimed_by, id, token, :now
FROM tasks
WHERE id = (:n << 20 | :seq) AND state = 'running' AND claimed_by <> :worker_id
ON CONFLICT (worker_id, task) DO UPDATE SET token = excluded.token, at = excluded.at;
