-- Keeps why an attempt at an orchestrator failed, before another attempt is counted.
INSERT INTO failures (execution_id, seq, attempt, worker_id, failure, at, retried, token, started_at)
SELECT id, 0, attempt, worker_id, :failure, :now, :retried, token, started_at
FROM executions
WHERE n = :n;
