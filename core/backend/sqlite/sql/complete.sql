-- Ends an activity with a result.
UPDATE tasks
SET state = 'completed', result = :result, failure = NULL, finished_at = :now, claimed_by = NULL
WHERE id = (:n << 20 | :seq) AND token = :token AND state = 'running';
