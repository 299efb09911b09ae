-- Cancels tasks of an execution that was asked to stop: those in queues, and those that run where nobody has the
-- orchestrator. What a workflow waits for besides is left to it, unless it never began.
UPDATE tasks
SET state = 'cancelled', due_at = NULL, start_by = NULL, claimed_by = NULL, finished_at = :now
WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575
  AND (state = 'pending'
       OR state = 'running' AND (SELECT task_state FROM executions WHERE n = :n) <> 'running'
       OR state = 'waiting' AND (SELECT task_state FROM executions WHERE n = :n) = 'cancelled');
