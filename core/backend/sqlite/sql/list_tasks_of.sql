-- The keys of the tasks of one execution and its present run, its orchestrator (place 0) included. states and kinds are JSON lists, '' for
-- all.
SELECT n << 20 AS key
FROM executions
WHERE id = :execution_id AND 0 > :after_seq
  AND (:states = '' OR task_state IN (SELECT value FROM json_each(:states)))
  AND (:kinds = '' OR 'orchestrator' IN (SELECT value FROM json_each(:kinds)))
UNION ALL
SELECT t.id
FROM executions AS e
JOIN tasks AS t ON t.id BETWEEN (e.n << 20) + max(:after_seq, e.base) + 1 AND e.n << 20 | 1048575
WHERE e.id = :execution_id
  AND (:states = '' OR t.state IN (SELECT value FROM json_each(:states)))
  AND (:kinds = '' OR t.kind IN (SELECT value FROM json_each(:kinds)))
ORDER BY 1
LIMIT :most;
