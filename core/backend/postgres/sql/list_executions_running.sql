-- As list_executions, where only running executions are wanted, among those that a worker holds and those that are due, now
-- or later; how many these are before all filters, and the ids. What waits for a signal, a child or a queue is not there.
-- $1 from, $2 before, $3 and $4 after the one created then with that id, $5 states, $6 workflow, $7 queue, $8 tag, $9 most
WITH held AS MATERIALIZED (
    SELECT DISTINCT worker, unnest(executions) AS id FROM stent.held
), running AS MATERIALIZED (
    SELECT e.* FROM held AS h CROSS JOIN LATERAL (
        SELECT id, created_at, workflow, queue, tags FROM stent.executions
        WHERE id = h.id AND worker = h.worker AND state = 'running' AND started_at IS NOT NULL AND cancel_requested_at IS NULL OFFSET 0
    ) AS e
    UNION
    SELECT id, created_at, workflow, queue, tags FROM stent.executions
    WHERE due_at IS NOT NULL AND started_at IS NOT NULL AND cancel_requested_at IS NULL
)
SELECT (SELECT count(*) FROM running), ARRAY(
    SELECT id
    FROM running
    WHERE created_at >= $1 AND created_at < $2 AND 'running' = ANY ($5::text[])
      AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
      AND ($6::text IS NULL OR workflow = $6)
      AND ($7::text IS NULL OR queue = $7)
      AND ($8::text IS NULL OR nullif(tags, '')::text[] @> ARRAY[$8])
    ORDER BY created_at DESC, id DESC
    LIMIT $9
);
