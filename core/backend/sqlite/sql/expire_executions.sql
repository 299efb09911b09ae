-- Executions that took longer than they may.
SELECT n, id, workflow, queue, state, deadline_at - created_at, parent
FROM executions
WHERE expires_at <= :now AND finished_at IS NULL
ORDER BY expires_at
LIMIT :most;
