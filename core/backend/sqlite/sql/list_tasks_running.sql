-- The keys of running tasks, by execution and place, orchestrators (place 0) included: the held orchestrators, what
-- stands on them, and what was claimed from a queue. kinds is a JSON list, '' for all.
SELECT key FROM (
    SELECT n << 20 AS key, id
    FROM executions INDEXED BY executions_held
    WHERE task_state = 'running'
      AND (:kinds = '' OR 'orchestrator' IN (SELECT value FROM json_each(:kinds)))
    UNION ALL
    SELECT t.id, e.id
    FROM executions AS e INDEXED BY executions_held
    JOIN tasks AS t ON t.id BETWEEN e.n << 20 AND e.n << 20 | 1048575
    WHERE e.task_state = 'running' AND t.state = 'running' AND t.claimed_by IS NULL
      AND (:kinds = '' OR t.kind IN (SELECT value FROM json_each(:kinds)))
    UNION ALL
    SELECT t.id, e.id
    FROM tasks AS t INDEXED BY tasks_claimed
    JOIN executions AS e ON e.n = t.id >> 20
    WHERE t.claimed_by IS NOT NULL
      AND (:kinds = '' OR t.kind IN (SELECT value FROM json_each(:kinds)))
)
WHERE (id, key & 1048575) > (:after_execution, :after_seq)
ORDER BY id, key
LIMIT :most;
