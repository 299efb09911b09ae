-- The keys of running tasks, by execution and place, orchestrators (place 0) included: the held orchestrators, what
-- stands on them, and what was claimed from a queue. What is held is looked up one by one, whatever the planner thinks how
-- much it is. Filters that are NULL choose all.
-- $1 and $2 after execution and place, $3 kinds, $4 most
WITH held AS MATERIALIZED (
    SELECT DISTINCT worker, unnest(executions) AS id FROM stent.held
)
SELECT k.execution_id, k.seq
FROM (
    SELECT e.id AS execution_id, coalesce(e.alias, e.id::text) COLLATE "C" AS name, 0 AS seq
    FROM held AS h CROSS JOIN LATERAL (
        SELECT id, alias FROM stent.executions WHERE id = h.id AND worker = h.worker AND state = 'running' OFFSET 0
    ) AS e
    WHERE $3::text[] IS NULL OR 'orchestrator' = ANY ($3)
    UNION ALL
    SELECT t.execution_id, coalesce(e.alias, e.id::text) COLLATE "C", t.seq
    FROM held AS h CROSS JOIN LATERAL (
        SELECT id, alias FROM stent.executions WHERE id = h.id AND worker = h.worker AND state = 'running' OFFSET 0
    ) AS e CROSS JOIN LATERAL (
        SELECT execution_id, seq, kind FROM stent.tasks WHERE execution_id = e.id AND state = 'running' AND claimed_by IS NULL OFFSET 0
    ) AS t
    WHERE $3 IS NULL OR coalesce(t.kind, 'activity')::text = ANY ($3)
    UNION ALL
    SELECT t.execution_id, coalesce(e.alias, e.id::text) COLLATE "C", t.seq
    FROM stent.tasks AS t JOIN stent.executions AS e ON e.id = t.execution_id
    WHERE t.claimed_by IS NOT NULL AND ($3 IS NULL OR coalesce(t.kind, 'activity')::text = ANY ($3))
) AS k
WHERE (k.name, k.seq) > ($1::text, $2::integer)
ORDER BY k.name, k.seq
LIMIT $4;
