-- Cancels an unfinished task that nobody waits for any more, because its execution, or its run, ends or is to stop, and keeps
-- how it was.
UPDATE tasks
SET before     = CASE state WHEN 'running' THEN 'pending' ELSE state END,
    before_due = CASE state WHEN 'running' THEN :now ELSE due_at END,
    state = 'cancelled', due_at = NULL, start_by = NULL, claimed_by = NULL, finished_at = :now
WHERE id = (:n << 20 | :seq) AND state IN ('pending', 'running', 'waiting');
