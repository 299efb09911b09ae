-- Lists schedules, by name. With $2 only those whose tick has come, the earliest first. The time comes with each.
-- $1 name or NULL, $2 whether they have to be due, $3 the time
SELECT s.name, s.rule, s.next_at, s.paused_at, s.paused_by, s.last_tick, s.last_execution, s.skipped, s.revision, s.created_at, s.changed_at,
       s.workflow, s.queue, s.priority, s.tags, s.policy, s.input, s.input_hash, s.max_duration, s.metadata,
       EXISTS (SELECT FROM stent.executions AS e WHERE e.id = s.last_id AND e.finished_at IS NULL)
FROM stent.schedules AS s
WHERE ($1::text IS NULL OR s.name = $1) AND (NOT $2::boolean OR s.next_at <= $3::timestamptz)
ORDER BY CASE WHEN $2::boolean THEN s.next_at END, s.name
LIMIT CASE WHEN $2::boolean THEN 100 END;
