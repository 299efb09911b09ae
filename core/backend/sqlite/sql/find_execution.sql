-- What must be known of an execution to change one of its tasks.
SELECT n, state FROM executions WHERE id = :execution_id;
