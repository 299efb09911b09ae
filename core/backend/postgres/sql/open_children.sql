-- The executions of unfinished calls of workflows, but for detached ones, and who called them.
-- $1 the callers
SELECT coalesce(e.alias, e.id::text), coalesce(t.child_alias, t.child_id::text)
FROM unnest($1::uuid[]) AS u (id)
JOIN stent.executions AS e ON e.id = u.id
JOIN stent.tasks AS t ON t.execution_id = u.id
WHERE t.state = 'waiting' AND t.kind = 'child' AND t.detached IS NOT TRUE;
