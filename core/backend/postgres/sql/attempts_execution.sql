-- The failed attempts at all tasks of an execution, oldest first.
-- $1 execution
SELECT seq, attempt, worker, failure, at, retried, token, started_at FROM stent.failures WHERE execution_id = $1 ORDER BY n;
