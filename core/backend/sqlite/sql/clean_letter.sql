-- Deletes the failed attempts of a task whose dead letter was discarded, where its execution is gone too.
DELETE FROM failures
WHERE execution_id = :execution_id AND seq = :seq AND NOT EXISTS (SELECT 1 FROM executions WHERE id = :execution_id);
