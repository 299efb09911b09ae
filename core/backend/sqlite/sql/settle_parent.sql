-- Ends the call of a workflow in its caller's history, as its execution has ended.
UPDATE tasks
SET state = :state, result = :result, failure = :failure, finished_at = :now,
    place = (SELECT max(id) & 1048575 FROM tasks WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575)
WHERE id = (:n << 20 | :seq) AND state = 'waiting' AND child = :child;
