-- Cancels an unfinished task because its execution, or its run, ends, and keeps how it was. Its worker is gone with the execution.
UPDATE tasks
SET before     = CASE state WHEN 'running' THEN 'pending' ELSE state END,
    before_due = CASE state WHEN 'running' THEN :now ELSE due_at END,
    state = 'cancelled', due_at = NULL, claimed_by = NULL, finished_at = :now
WHERE id = (:n << 20 | :seq) AND state IN ('pending', 'running', 'waiting');
