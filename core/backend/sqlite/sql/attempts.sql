-- The failed attempts at a task, oldest first.
SELECT seq, attempt, worker_id, failure, at, retried, token, started_at
FROM failures
WHERE execution_id = :execution_id AND seq = :seq
ORDER BY n;
