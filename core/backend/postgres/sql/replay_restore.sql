-- Puts back the tasks that were cancelled because their execution ended, as they were before.
-- $1 execution
UPDATE stent.tasks
SET state = before, due_at = before_due, rank = coalesce(rank, 0), finished_at = NULL, before = NULL, before_due = NULL,
    start_by = CASE before WHEN 'pending' THEN greatest(before_due, now()) + start_within * interval '1 microsecond' END
WHERE execution_id = $1 AND state = 'cancelled' AND before IS NOT NULL;
