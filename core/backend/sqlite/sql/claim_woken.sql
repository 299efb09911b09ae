-- The executions that a worker holds and to which something happened, told once.
UPDATE executions SET woken = 0
WHERE woken = 1 AND worker_id = :worker_id AND task_state = 'running'
RETURNING id;
