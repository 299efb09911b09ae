-- Sets when the next tick of a schedule is, if nobody has written it since it was read.
UPDATE schedules
SET next_at = :next_at, last_tick = coalesce(:last_tick, last_tick), skipped = skipped + :skipped, revision = revision + 1,
    last_execution = CASE WHEN :last_tick IS NULL THEN last_execution ELSE :last_execution END
WHERE name = :name AND revision = :revision;
