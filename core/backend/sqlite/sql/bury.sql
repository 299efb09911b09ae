-- Ends an activity for good. from is the state in which it is.
UPDATE tasks
SET state = :state, failure = :failure, finished_at = :now, claimed_by = NULL, due_at = NULL, start_by = NULL
WHERE id = (:n << 20 | :seq) AND token = :token AND state = :from;
