-- Something happened to an execution: a waiting orchestrator is due, the holder of a running one is to be told.
UPDATE executions
SET due_at = CASE task_state WHEN 'waiting' THEN min(coalesce(due_at, :now), :now) ELSE due_at END,
    woken  = task_state = 'running',
    wakes  = wakes + (task_state = 'running')
WHERE n = :n AND task_state IN ('running', 'waiting');
