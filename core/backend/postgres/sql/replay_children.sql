-- Sets calls of workflows aside whose executions were asked to stop when this one ended, so that they are made anew.
-- $1 execution
UPDATE stent.tasks AS t
SET key = '', state = 'cancelled', finished_at = now()
WHERE t.execution_id = $1 AND t.state = 'waiting' AND t.kind = 'child' AND t.detached IS NOT TRUE
  AND NOT EXISTS (SELECT FROM stent.executions AS c WHERE c.id = t.child_id AND c.finished_at IS NULL AND c.cancel_requested_at IS NULL);
