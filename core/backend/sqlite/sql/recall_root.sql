-- Has a worker told that an orchestrator which it holds was taken from it.
INSERT INTO recalls (worker_id, task, token, at)
SELECT worker_id, n << 20, token, :now FROM executions WHERE n = :n AND task_state = 'running'
ON CONFLICT (worker_id, task) DO UPDATE SET token = excluded.token, at = excluded.at;
