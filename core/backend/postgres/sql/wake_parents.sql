-- As wake.sql, of the callers of executions that have ended in this transaction.
-- $1 the executions
UPDATE stent.executions AS e
SET due_at = CASE e.state WHEN 'waiting' THEN least(e.due_at, now()) ELSE e.due_at END,
    woken  = CASE e.state WHEN 'running' THEN true ELSE e.woken END,
    wakes  = CASE e.state WHEN 'running' THEN coalesce(e.wakes, 0) + 1 ELSE e.wakes END
WHERE e.id = ANY (ARRAY(
        SELECT c.parent_id
        FROM unnest($1::uuid[]) AS u (id)
        JOIN stent.executions AS c ON c.id = u.id AND c.finished_at = now() AND c.parent_id IS NOT NULL))
  AND e.state IN ('pending', 'running', 'waiting')
RETURNING e.id, e.state = 'running', e.worker, e.queue;
