-- Ends a timer or a wait for a signal.
UPDATE tasks
SET state = :state, result = :result, finished_at = :now
WHERE id = (:n << 20 | :seq) AND state = 'waiting';
