-- Writes a schedule, if nobody has written it since it was read, and notes who wants it.
-- $1 name, $2 rule, $3 next tick, $4 paused at, $5 paused by, $6 last tick, $7 last execution, $8 its key, $9 skipped, $10 revision,
-- $11 workflow, $12 queue, $13 priority, $14 tags, $15 policy, $16 input, $17 input hash, $18 microseconds that an
-- execution may last, $19 metadata, $20 actor, $21 action, $22 subject, $23 detail
WITH written AS (
    INSERT INTO stent.schedules AS s (name, rule, next_at, paused_at, paused_by, last_tick, last_execution, last_id, skipped, revision,
                                      created_at, changed_at, workflow, queue, priority, tags, policy, input, input_hash, max_duration, metadata)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::bigint + 1, m.at, m.at, $11, $12, $13, $14::text[], $15, $16, $17, $18, $19
    FROM (SELECT clock_timestamp() AS at) AS m
    WHERE $10 = 0 OR EXISTS (SELECT FROM stent.schedules WHERE name = $1)
    ON CONFLICT (name) DO UPDATE
    SET rule = excluded.rule, next_at = excluded.next_at, paused_at = excluded.paused_at, paused_by = excluded.paused_by,
        last_tick = excluded.last_tick, last_execution = excluded.last_execution, last_id = excluded.last_id, skipped = excluded.skipped,
        revision = excluded.revision, changed_at = excluded.changed_at, workflow = excluded.workflow, queue = excluded.queue,
        priority = excluded.priority, tags = excluded.tags, policy = excluded.policy, input = excluded.input,
        input_hash = excluded.input_hash, max_duration = excluded.max_duration, metadata = excluded.metadata
    WHERE s.revision = $10
    RETURNING s.changed_at
)
INSERT INTO stent.audit (at, actor, action, execution_id, seq, subject, detail)
SELECT changed_at, $20, $21, '', 0, $22, $23 FROM written;
