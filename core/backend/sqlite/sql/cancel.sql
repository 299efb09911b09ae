-- Asks an execution to stop: a waiting one is due, the holder of a running one is to be told. One that no worker has ever
-- begun ends at once. state is what it is from now on.
UPDATE executions
SET cancel_requested_at = :now, state = :state,
    task_state  = CASE :state WHEN 'cancelled' THEN 'cancelled' ELSE task_state END,
    finished_at = CASE :state WHEN 'cancelled' THEN :now END,
    expires_at  = CASE :state WHEN 'cancelled' THEN NULL ELSE expires_at END,
    due_at      = CASE WHEN :state = 'cancelled' OR task_state = 'running' THEN NULL ELSE min(coalesce(due_at, :now), :now) END,
    woken       = :state <> 'cancelled' AND task_state = 'running',
    wakes       = wakes + (task_state = 'running')
WHERE n = :n;
