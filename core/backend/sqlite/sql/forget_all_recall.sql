-- Has workers told of the tasks that forget_all.sql takes from them.
INSERT INTO recalls (worker_id, task, token, at)
SELECT coalesce(claimed_by, worker_id), id, token, :now
FROM tasks
WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575 AND state = 'running'
ON CONFLICT (worker_id, task) DO UPDATE SET token = excluded.token, at = excluded.at;
