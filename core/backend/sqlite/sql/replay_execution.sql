-- Puts a buried orchestrator back to its queue, or to another one. reopen.sql has done the rest.
UPDATE executions
SET due_at = :now, attempt = 1, crashes = 0, queue = CASE :queue WHEN '' THEN queue ELSE :queue END
WHERE n = :n AND task_state = 'waiting';
