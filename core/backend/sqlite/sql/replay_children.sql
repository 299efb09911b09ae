-- Sets calls of workflows aside whose executions were asked to stop when this one ended, so that they are made anew.
UPDATE tasks
SET key = '', state = 'cancelled', finished_at = :now
WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575 AND state = 'waiting' AND kind = 'child' AND detached IS NOT 1
  AND NOT EXISTS (SELECT 1 FROM executions AS c WHERE c.id = tasks.child AND c.finished_at IS NULL AND c.cancel_requested_at IS NULL);
