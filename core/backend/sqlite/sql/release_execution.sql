-- Gives an orchestrator back to its queue as if it had not been claimed.
UPDATE executions
SET task_state = 'pending', due_at = :now, woken = 0,
    state         = CASE WHEN state = 'running' AND started_token = token THEN 'pending' ELSE state END,
    started_at    = CASE WHEN started_token = token THEN NULL ELSE started_at END,
    started_token = CASE WHEN started_token = token THEN NULL ELSE started_token END
WHERE n = :n AND token = :token AND task_state = 'running';
