-- Keeps why an attempt at an orchestrator failed, before another attempt is counted.
INSERT INTO failures (execution_id, seq, attempt, worker_id, failure, at, retried)
SELECT id, 0, attempt, worker_id, :failure, :now, :retried
FROM executions
WHERE n = :n;
