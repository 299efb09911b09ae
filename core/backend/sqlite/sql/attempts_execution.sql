-- The failed attempts at all tasks of an execution, oldest first.
SELECT seq, attempt, worker_id, failure, at, retried, token, started_at
FROM failures
WHERE execution_id = :execution_id
ORDER BY n;
