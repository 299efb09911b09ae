-- Cancels all unfinished tasks of an execution because it ends, and keeps how they were. Detached children go on.
UPDATE tasks
SET before     = CASE state WHEN 'running' THEN 'pending' ELSE state END,
    before_due = CASE state WHEN 'running' THEN :now ELSE due_at END,
    state = 'cancelled', due_at = NULL, start_by = NULL, claimed_by = NULL, finished_at = :now
WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575 AND state IN ('pending', 'running', 'waiting') AND detached IS NOT 1;
