-- Gives an orchestrator's lease back for another attempt.
UPDATE executions
SET task_state = 'pending', due_at = CASE WHEN cancel_requested_at IS NULL THEN :due_at ELSE :now END, attempt = attempt + 1, woken = 0
WHERE n = :n AND token = :token AND task_state = 'running';
