-- Puts a buried orchestrator back to its queue, or to another one. reopen.sql has done the rest.
-- $1 id, $2 queue or ''
UPDATE stent.executions
SET due_at = now(), attempt = NULL, crashes = NULL, queue = CASE $2::text WHEN '' THEN queue ELSE $2 END
WHERE id = $1 AND state = 'waiting'
RETURNING queue;
