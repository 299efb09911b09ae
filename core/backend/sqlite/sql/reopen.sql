-- Reopens an execution that has failed or timed out: its orchestrator waits, at most until the first timer that was put
-- back fires, it has its maximal duration
-- anew, and what was written after a place of its history is marked as healed.
UPDATE executions
SET state = CASE WHEN started_at IS NULL THEN 'pending' ELSE 'running' END, task_state = 'waiting', finished_at = NULL, result = NULL, failure = NULL, cause = NULL, woken = 0,
    due_at = CASE state WHEN 'running' THEN due_at
             ELSE (SELECT min(fires_at) FROM tasks
                   WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575 AND state = 'waiting' AND fires_at IS NOT NULL) END,
    reopened_token = token,
    expires_at = :now + (deadline_at - created_at),
    healed_from = :healed_from,
    healed_to = coalesce((SELECT max(id) & 1048575 FROM tasks WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575), 0)
WHERE n = :n AND state IN ('failed', 'timed_out', 'running');
