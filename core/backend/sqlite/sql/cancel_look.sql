-- What must be known of an execution to ask it to stop: also whether a worker has ever begun it.
SELECT n, state, started_at IS NOT NULL, parent FROM executions WHERE id = :execution_id;
