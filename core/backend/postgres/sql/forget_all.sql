-- Cancels all unfinished tasks of executions because they end, and keeps how they were. Detached children
-- go on.
-- $1 execution
UPDATE stent.tasks AS t
SET before     = CASE t.state WHEN 'running' THEN 'pending' ELSE t.state END,
    before_due = CASE t.state WHEN 'running' THEN now() ELSE t.due_at END,
    state = 'cancelled', due_at = NULL, claimed_by = NULL, finished_at = now()
WHERE t.execution_id = ANY ($1::uuid[]) AND t.state IN ('pending', 'running', 'waiting') AND t.detached IS NOT TRUE;
