-- Ends an execution. One that is asked to cancel ends as cancelled, whatever its workflow says.
UPDATE executions
SET state       = CASE WHEN cancel_requested_at IS NULL THEN :state ELSE 'cancelled' END,
    task_state  = CASE WHEN cancel_requested_at IS NULL THEN :state ELSE 'cancelled' END,
    result      = CASE WHEN cancel_requested_at IS NULL THEN :result END,
    failure     = CASE WHEN cancel_requested_at IS NULL THEN :failure END,
    cause       = CASE WHEN cancel_requested_at IS NULL THEN :cause END,
    finished_at = :now, due_at = NULL, woken = 0, expires_at = NULL
WHERE n = :n AND token = :token AND task_state = 'running';
