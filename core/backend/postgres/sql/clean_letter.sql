-- Deletes the failed attempts of a task whose dead letter was discarded, where its execution is gone too.
-- $1 execution, $2 place
DELETE FROM stent.failures
WHERE execution_id = $1 AND seq = $2 AND NOT EXISTS (SELECT FROM stent.executions AS e WHERE e.id = $1);
