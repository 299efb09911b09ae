-- Deletes the histories of executions. keys is a JSON list.
DELETE FROM tasks
WHERE id IN (SELECT t.id FROM json_each(:keys) AS k JOIN tasks AS t ON t.id BETWEEN k.value << 20 AND k.value << 20 | 1048575);
