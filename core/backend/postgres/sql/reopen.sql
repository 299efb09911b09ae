-- Reopens an execution that has failed or timed out: its orchestrator waits, at most until the first timer that was put
-- back fires, it has its maximal duration anew, and what was written after a place of its history is marked as healed.
-- $1 id, $2 the place
WITH tallied AS (
    INSERT INTO stent.tallies (state, n) SELECT state::text, -1 FROM stent.executions WHERE id = $1 AND finished_at IS NOT NULL
)
UPDATE stent.executions AS e
SET state = 'waiting', finished_at = NULL, result = NULL, failure = NULL, cause = NULL, woken = NULL,
    due_at = (SELECT min(t.fires_at) FROM stent.tasks AS t WHERE t.execution_id = $1 AND t.state = 'waiting'),
    reopened_token = e.token,
    expires_at = now() + (e.deadline_at - e.created_at),
    healed_from = $2,
    healed_to = coalesce((SELECT max(t.seq) FROM stent.tasks AS t WHERE t.execution_id = $1), 0)
WHERE e.id = $1;
