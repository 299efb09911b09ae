-- The keys of tasks, by execution and place, orchestrators (place 0) included. states and kinds are JSON lists, '' for
-- all.
SELECT n << 20 AS key, id
FROM executions
WHERE id >= :after_execution AND (id > :after_execution OR 0 > :after_seq)
  AND (:states = '' OR task_state IN (SELECT value FROM json_each(:states)))
  AND (:kinds = '' OR 'orchestrator' IN (SELECT value FROM json_each(:kinds)))
UNION ALL
SELECT t.id, e.id
FROM executions AS e
JOIN tasks AS t ON t.id BETWEEN e.n << 20 AND e.n << 20 | 1048575
WHERE e.id >= :after_execution AND (e.id > :after_execution OR t.seq > :after_seq)
  AND (:states = '' OR t.state IN (SELECT value FROM json_each(:states)))
  AND (:kinds = '' OR t.kind IN (SELECT value FROM json_each(:kinds)))
ORDER BY 2, 1
LIMIT :most;
