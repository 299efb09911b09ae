-- Keeps why an attempt at an activity failed, before another attempt is counted.
INSERT INTO failures (execution_id, seq, attempt, worker_id, failure, at, retried)
SELECT :execution_id, :seq, attempt, worker_id, :failure, :now, :retried
FROM tasks
WHERE id = (:n << 20 | :seq);
