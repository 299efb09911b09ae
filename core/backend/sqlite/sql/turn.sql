-- The fence of a turn: no row, if the orchestrator's lease is lost.
SELECT n, state, crashes, effects, run
FROM executions
WHERE id = :execution_id AND token = :token AND task_state = 'running';
