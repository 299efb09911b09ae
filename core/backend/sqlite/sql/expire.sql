-- Ends an execution that took longer than it may. One that was asked to stop is cancelled.
UPDATE executions
SET state      = CASE WHEN cancel_requested_at IS NULL THEN 'timed_out' ELSE 'cancelled' END,
    task_state = CASE WHEN cancel_requested_at IS NULL THEN 'timed_out' ELSE 'cancelled' END,
    failure    = CASE WHEN cancel_requested_at IS NULL THEN :failure END,
    finished_at = :now, due_at = NULL, woken = 0, expires_at = NULL
WHERE n = :n AND finished_at IS NULL;
