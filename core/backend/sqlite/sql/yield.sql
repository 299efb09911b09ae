-- Gives an orchestrator's lease back because its workflow waits. What it has not seen makes it due at once.
UPDATE executions
SET task_state = 'waiting', due_at = CASE WHEN wakes > :seen THEN :now ELSE :due_at END, woken = 0
WHERE n = :n AND token = :token AND task_state = 'running';
