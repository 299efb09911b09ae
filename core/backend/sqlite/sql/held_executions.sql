-- The orchestrators that a worker holds.
SELECT n, id, workflow, queue, token, crashes, cancel_requested_at IS NOT NULL, state, parent
FROM executions
WHERE worker_id = :worker_id AND task_state = 'running'
ORDER BY n;
