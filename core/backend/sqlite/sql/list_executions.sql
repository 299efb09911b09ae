-- The numbers of executions, newest first. Filters that are '' or 0 choose all; states is a JSON list. None up to the
-- number first was created since the time.
SELECT n
FROM executions
WHERE n < :before AND n > :first
  AND (:states = '' OR state IN (SELECT value FROM json_each(:states)))
  AND (:workflow = '' OR workflow = :workflow)
  AND (:queue = '' OR queue = :queue)
  AND (:tag = '' OR tags <> '' AND EXISTS (SELECT 1 FROM json_each(tags) WHERE value = :tag))
  AND created_at >= :since
  AND substr(id, 1, length(:id_prefix)) = :id_prefix
ORDER BY n DESC
LIMIT :most;
