-- The keys of the tasks of one execution and its present run, its orchestrator (place 0) included. Filters that are NULL choose all.
-- $1 execution, $2 after place, $3 states, $4 kinds, $5 most
SELECT id, 0 AS seq
FROM stent.executions
WHERE id = $1 AND 0 > $2::integer AND ($3::text[] IS NULL OR state::text = ANY ($3)) AND ($4::text[] IS NULL OR 'orchestrator' = ANY ($4))
UNION ALL
SELECT execution_id, seq
FROM stent.tasks
WHERE execution_id = $1 AND seq > greatest($2, (SELECT base FROM stent.executions WHERE id = $1)) AND ($3 IS NULL OR state::text = ANY ($3)) AND ($4 IS NULL OR coalesce(kind, 'activity')::text = ANY ($4))
ORDER BY 2
LIMIT $5;
