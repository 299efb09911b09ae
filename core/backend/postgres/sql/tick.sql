-- Sets when the next tick of a schedule is, if nobody has written it since it was read.
-- $1 name, $2 revision, $3 next tick, $4 last tick or NULL, $5 last execution, $6 its key, $7 ticks that were skipped
UPDATE stent.schedules
SET next_at = $3, last_tick = coalesce($4, last_tick), skipped = skipped + $7, revision = revision + 1,
    last_execution = CASE WHEN $4::timestamptz IS NULL THEN last_execution ELSE $5 END,
    last_id = CASE WHEN $4::timestamptz IS NULL THEN last_id ELSE $6::uuid END
WHERE name = $1 AND revision = $2
RETURNING clock_timestamp();
