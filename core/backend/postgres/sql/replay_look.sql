-- Locks an execution and tells what must be known to replay one of its dead letters. The third is true of one that
-- another replay has reopened and that nobody has run since, so that it knows nothing of this task's failure.
-- $1 id
SELECT CASE WHEN finished_at IS NOT NULL THEN state::text WHEN cancel_requested_at IS NOT NULL THEN 'cancelling'
            WHEN started_at IS NULL THEN 'pending' ELSE 'running' END,
       coalesce(healed_from, 0),
       state = 'waiting' AND cancel_requested_at IS NULL AND coalesce(reopened_token = token, false),
       coalesce(parent_alias, parent_id::text) || '.' || parent_seq
FROM stent.executions
WHERE id = $1
FOR UPDATE;
