-- The keys of tasks, by execution and place, orchestrators (place 0) included. Filters that are NULL choose all.
-- $1 and $2 after execution and place, $3 states, $4 kinds, $5 most
SELECT k.execution_id, k.seq
FROM (
    SELECT id AS execution_id, coalesce(alias, id::text) COLLATE "C" AS name, 0 AS seq
    FROM stent.executions
    WHERE ($3::text[] IS NULL OR state::text = ANY ($3)) AND ($4::text[] IS NULL OR 'orchestrator' = ANY ($4))
    UNION ALL
    SELECT t.execution_id, coalesce(e.alias, e.id::text) COLLATE "C", t.seq
    FROM stent.tasks AS t JOIN stent.executions AS e ON e.id = t.execution_id
    WHERE ($3 IS NULL OR t.state::text = ANY ($3)) AND ($4 IS NULL OR coalesce(t.kind, 'activity')::text = ANY ($4))
) AS k
WHERE (k.name, k.seq) > ($1::text, $2::integer)
ORDER BY k.name, k.seq
LIMIT $5;
