-- Cancels unfinished tasks because their executions end, and keeps how they were. Their workers are gone with the
-- executions.
-- $1 execution, $2 place
UPDATE stent.tasks AS t
SET before     = CASE t.state WHEN 'running' THEN 'pending' ELSE t.state END,
    before_due = CASE t.state WHEN 'running' THEN now() ELSE t.due_at END,
    state = 'cancelled', due_at = NULL, claimed_by = NULL, finished_at = now()
FROM unnest($1::uuid[], $2::integer[]) AS u (execution_id, seq)
WHERE t.execution_id = u.execution_id AND t.seq = u.seq AND t.state IN ('pending', 'running', 'waiting');
