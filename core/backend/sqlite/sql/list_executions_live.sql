-- As list_executions, where only executions that go on are wanted: finished ones are not looked at.
SELECT n
FROM executions INDEXED BY executions_live
WHERE finished_at IS NULL AND n < :before AND n > :first
  AND state IN (SELECT value FROM json_each(:states))
  AND (:workflow = '' OR workflow = :workflow)
  AND (:queue = '' OR queue = :queue)
  AND (:tag = '' OR tags <> '' AND EXISTS (SELECT 1 FROM json_each(tags) WHERE value = :tag))
  AND created_at >= :since
  AND substr(id, 1, length(:id_prefix)) = :id_prefix
ORDER BY n DESC
LIMIT :most;
