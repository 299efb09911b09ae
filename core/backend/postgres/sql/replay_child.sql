-- Has a call of a workflow that failed wait for its execution again, which goes on. It tells from which place on the
-- history was written after the failure.
-- $1 the caller, $2 place, $3 the execution
UPDATE stent.tasks
SET state = 'waiting', result = NULL, failure = NULL, finished_at = NULL
WHERE execution_id = $1 AND seq = $2 AND state IN ('failed', 'timed_out') AND child_id = $3
RETURNING coalesce(place, seq);
