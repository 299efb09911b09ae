-- Puts an activity back to its queue for another attempt.
UPDATE tasks
SET state = 'pending', due_at = :due_at, attempt = attempt + 1, failure = :failure, claimed_by = NULL,
    detail = coalesce(:detail, detail), start_by = :due_at + start_within
WHERE id = (:n << 20 | :seq) AND token = :token AND state = 'running';
