-- Dead letters, newest first. Filters that are '' choose all.
SELECT n, execution_id, seq, workflow, step, kind, queue, tags, attempts, crashes, reason, failure, trace_id, moved_at, place
FROM dead_letters
WHERE n < :before
  AND (:execution_id = '' OR execution_id = :execution_id)
  AND (:step = '' OR step = :step)
  AND (:queue = '' OR queue = :queue)
ORDER BY n DESC
LIMIT :most;
