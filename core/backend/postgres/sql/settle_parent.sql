-- Ends calls of workflows in their callers' histories, as their executions have ended.
-- $1 the executions, $2 failure
UPDATE stent.tasks AS t
SET state = e.state, result = e.result, finished_at = now(),
    failure = CASE WHEN e.state IN ('failed', 'timed_out') THEN u.failure::json END,
    place = (SELECT max(l.seq) FROM stent.tasks AS l WHERE l.execution_id = t.execution_id)
FROM unnest($1::uuid[], $2::text[]) AS u (id, failure)
JOIN stent.executions AS e ON e.id = u.id
WHERE t.execution_id = e.parent_id AND t.seq = e.parent_seq AND t.state = 'waiting' AND t.child_id = e.id AND e.finished_at IS NOT NULL;
