-- Gives an activity back to its queue as if it had not been claimed.
UPDATE tasks SET state = 'pending', due_at = :now, claimed_by = NULL, started_at = NULL,
    detail = coalesce(:detail, detail), start_by = :now + start_within
WHERE id = (:n << 20 | :seq) AND token = :token AND state = 'running';
