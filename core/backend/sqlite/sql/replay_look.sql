-- What must be known of an execution to replay one of its dead letters. The last is true of one that another replay has
-- reopened and that nobody has run since, so that it knows nothing of this task's failure.
SELECT n, state, started_at IS NOT NULL, healed_from, state = 'running' AND task_state = 'waiting' AND reopened_token IS token, parent
FROM executions
WHERE id = :execution_id;
