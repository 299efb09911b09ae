-- Dead letters, newest first. Filters that are '' choose all.
SELECT n, execution_id, seq, workflow, step, kind, queue, tags, attempts, crashes, reason, failure, trace_id, moved_at, place
FROM dead_letters
WHERE n < :before
  AND (:execution_id = '' OR execution_id = :execution_id)
  AND (:workflow = '' OR workflow = :workflow)
  AND (:step = '' OR step = :step)
  AND (:queue = '' OR queue = :queue)
  AND moved_at >= :since AND moved_at < :until
ORDER BY n DESC
LIMIT :most;
