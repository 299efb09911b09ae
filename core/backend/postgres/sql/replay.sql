-- Puts a buried activity back to its queue, or to another one.
-- $1 execution, $2 place, $3 queue or ''
UPDATE stent.tasks
SET state = 'pending', due_at = now(), rank = coalesce(rank, 0), attempt = NULL, crashes = NULL, failure = NULL, result = NULL, finished_at = NULL,
    start_by = now() + start_within * interval '1 microsecond',
    queue = CASE $3::text WHEN '' THEN queue ELSE $3 END
WHERE execution_id = $1 AND seq = $2 AND state IN ('failed', 'timed_out')
RETURNING queue;
