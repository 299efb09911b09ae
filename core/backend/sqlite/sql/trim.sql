-- Deletes entries of a history that belong to former runs.
DELETE FROM tasks
WHERE id IN (SELECT id FROM tasks
             WHERE id BETWEEN :n << 20 AND :n << 20 | (SELECT base FROM executions WHERE n = :n)
             ORDER BY id LIMIT :most);
