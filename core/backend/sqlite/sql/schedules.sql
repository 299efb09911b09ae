-- Lists schedules, by name. With :due only those whose tick has come, the earliest first.
SELECT s.name, s.rule, s.next_at, s.paused_at, s.paused_by, s.last_tick, s.last_execution, s.skipped, s.revision, s.created_at, s.changed_at,
       s.workflow, s.queue, s.priority, s.tags, s.policy, s.input, s.input_hash, s.max_duration, s.metadata,
       EXISTS (SELECT 1 FROM executions AS e WHERE e.id = s.last_execution AND e.finished_at IS NULL)
FROM schedules AS s
WHERE (:name = '' OR s.name = :name) AND (NOT :due OR s.next_at <= :now)
ORDER BY CASE WHEN :due THEN s.next_at END, s.name
LIMIT CASE WHEN :due THEN 100 ELSE -1 END;
