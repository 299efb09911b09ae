-- What tells whether a second start means the same execution.
SELECT workflow, input_hash FROM executions WHERE id = :execution_id;
