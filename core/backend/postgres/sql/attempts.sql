-- The failed attempts at a task, oldest first.
-- $1 execution, $2 place
SELECT seq, attempt, worker, failure, at, retried, token, started_at FROM stent.failures WHERE execution_id = $1 AND seq = $2 ORDER BY n;
