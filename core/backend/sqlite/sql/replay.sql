-- Puts a buried activity back to its queue, or to another one.
UPDATE tasks
SET state = 'pending', due_at = :now, attempt = 1, crashes = 0, failure = NULL, result = NULL, finished_at = NULL, start_by = :now + start_within,
    queue = CASE :queue WHEN '' THEN queue ELSE :queue END
WHERE id = (:n << 20 | :seq) AND state IN ('failed', 'timed_out');
