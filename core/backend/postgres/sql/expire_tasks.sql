-- Locks activities that no worker took in time, but for those that one is just taking.
-- $1 most
SELECT t.execution_id, coalesce(e.alias, e.id::text), t.seq, t.step, t.queue, t.token, t.start_within
FROM stent.tasks AS t JOIN stent.executions AS e ON e.id = t.execution_id
WHERE t.start_by <= now() AND t.state = 'pending'
ORDER BY t.start_by
LIMIT $1
FOR NO KEY UPDATE OF t SKIP LOCKED;
