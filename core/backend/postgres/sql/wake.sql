-- Something happened to executions: a waiting orchestrator is due, the holder of a running one is to be told. A pending
-- one is written too, as it is, so that a claim under way either sees what happened or does not get it.
-- $1 id, $2 and $3 the execution and the id of signals: those that this transaction delivered wake as well
UPDATE stent.executions AS e
SET due_at = CASE e.state WHEN 'waiting' THEN least(e.due_at, now()) ELSE e.due_at END,
    woken  = CASE e.state WHEN 'running' THEN true ELSE e.woken END,
    wakes  = CASE e.state WHEN 'running' THEN coalesce(e.wakes, 0) + 1 ELSE e.wakes END
WHERE e.id = ANY (ARRAY(
        SELECT unnest($1::uuid[])
        UNION
        SELECT s.execution_id
        FROM unnest($2::uuid[], $3::text[]) AS u (execution_id, id)
        JOIN stent.signals AS s ON s.execution_id = u.execution_id AND s.id = u.id AND s.sent_at = now()))
  AND e.state IN ('pending', 'running', 'waiting')
RETURNING e.id, e.state = 'running', e.worker, e.queue;
