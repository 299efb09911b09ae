-- What people did, newest first. Filters that are '' or 0 choose all; a seq of -1 chooses all tasks of the execution.
SELECT n, at, actor, action, execution_id, seq, subject, detail
FROM audit
WHERE (:before = 0 OR n < :before)
  AND (:actor = '' OR actor = :actor)
  AND (:action = '' OR action = :action)
  AND (:execution_id = '' OR execution_id = :execution_id AND (:seq < 0 OR seq = :seq))
  AND (:subject = '' OR subject = :subject)
  AND at >= :since
ORDER BY n DESC
LIMIT :most;
