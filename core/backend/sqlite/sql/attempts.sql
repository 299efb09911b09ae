-- The failed attempts at a task, oldest first.
SELECT attempt, worker_id, failure, at, retried
FROM failures
WHERE execution_id = :execution_id AND seq = :seq
ORDER BY n;
