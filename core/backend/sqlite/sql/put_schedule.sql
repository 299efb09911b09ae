-- Writes a schedule, if nobody has written it since it was read.
INSERT INTO schedules (name, rule, next_at, paused_at, paused_by, last_tick, last_execution, skipped, revision, created_at, changed_at,
                       workflow, queue, priority, tags, policy, input, input_hash, max_duration, metadata)
SELECT :name, :rule, :next_at, :paused_at, :paused_by, :last_tick, :last_execution, :skipped, :revision + 1, :now, :now,
       :workflow, :queue, :priority, :tags, :policy, :input, :input_hash, :max_duration, :metadata
WHERE :revision = coalesce((SELECT revision FROM schedules WHERE name = :name), 0)
ON CONFLICT (name) DO UPDATE
SET rule = excluded.rule, next_at = excluded.next_at, paused_at = excluded.paused_at, paused_by = excluded.paused_by,
    last_tick = excluded.last_tick, last_execution = excluded.last_execution, skipped = excluded.skipped,
    revision = excluded.revision, changed_at = excluded.changed_at, workflow = excluded.workflow, queue = excluded.queue,
    priority = excluded.priority, tags = excluded.tags, policy = excluded.policy, input = excluded.input,
    input_hash = excluded.input_hash, max_duration = excluded.max_duration, metadata = excluded.metadata;
