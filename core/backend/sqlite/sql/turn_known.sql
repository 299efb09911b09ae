-- What tells whether a turn was applied before.
SELECT n, state, task_state, token, effects, run FROM executions WHERE id = :execution_id;
