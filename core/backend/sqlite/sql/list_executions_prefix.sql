-- As list_executions, where a beginning of the id is given: only such ids are looked at.
SELECT n
FROM executions
WHERE id >= :id_prefix AND id < :id_end AND n < :before AND +n > :first
  AND (:states = '' OR state IN (SELECT value FROM json_each(:states)))
  AND (:workflow = '' OR workflow = :workflow)
  AND (:queue = '' OR queue = :queue)
  AND (:tag = '' OR tags <> '' AND EXISTS (SELECT 1 FROM json_each(tags) WHERE value = :tag))
  AND created_at >= :since
ORDER BY n DESC
LIMIT :most;
