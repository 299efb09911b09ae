-- Gives the orchestrator of an ended worker back to its queue.
UPDATE executions SET task_state = 'pending', due_at = :now, crashes = crashes + :crashes, woken = 0
WHERE n = :n AND token = :token AND task_state = 'running';
