-- Has a call of a workflow that failed wait for its execution again, which goes on. It tells from which place on the
-- history was written after the failure.
UPDATE tasks
SET state = 'waiting', result = NULL, failure = NULL, finished_at = NULL
WHERE id = (:n << 20 | :seq) AND state IN ('failed', 'timed_out') AND child = :child
RETURNING place;
