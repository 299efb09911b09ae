-- Leases orchestrators to a worker. keys is a JSON list.
UPDATE executions
SET state = CASE state WHEN 'pending' THEN 'running' ELSE state END,
    task_state = 'running', due_at = NULL, worker_id = :worker_id, token = token + 1,
    started_at = coalesce(started_at, :now), started_token = coalesce(started_token, token + 1)
WHERE n IN (SELECT value FROM json_each(:keys)) AND task_state IN ('pending', 'waiting') AND due_at IS NOT NULL;
