-- Ends an activity for good.
UPDATE tasks
SET state = :state, failure = :failure, finished_at = :now, claimed_by = NULL
WHERE id = (:n << 20 | :seq) AND token = :token AND state = 'running';
