-- Puts back the tasks that were cancelled because their execution ended, as they were before.
UPDATE tasks
SET state = before, due_at = before_due, finished_at = NULL, before = NULL, before_due = NULL,
    start_by = CASE before WHEN 'pending' THEN max(before_due, :now) + start_within END
WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575 AND state = 'cancelled' AND before IS NOT NULL;
