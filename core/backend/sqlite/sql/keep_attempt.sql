-- Keeps why an attempt at an activity failed, before another attempt is counted.
INSERT INTO failures (execution_id, seq, attempt, worker_id, failure, at, retried, token, started_at)
SELECT :execution_id, :seq, attempt, worker_id, :failure, :now, :retried, token, started_at
FROM tasks
WHERE id = (:n << 20 | :seq);
