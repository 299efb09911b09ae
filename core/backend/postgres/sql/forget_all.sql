-- Cancels all unfinished tasks of executions because they end, and keeps how they were. Workers that run them are told.
-- Detached children go on.
-- $1 execution
WITH was AS MATERIALIZED (
    SELECT t.execution_id, t.seq, t.token, t.state, t.due_at, coalesce(t.claimed_by, t.worker) AS holder
    FROM stent.tasks AS t
    WHERE t.execution_id = ANY ($1::uuid[]) AND t.state IN ('pending', 'running', 'waiting') AND t.detached IS NOT TRUE
    FOR NO KEY UPDATE OF t
), done AS (
    UPDATE stent.tasks AS t
    SET before     = CASE was.state WHEN 'running' THEN 'pending' ELSE was.state END,
        before_due = CASE was.state WHEN 'running' THEN now() ELSE was.due_at END,
        state = 'cancelled', due_at = NULL, start_by = NULL, claimed_by = NULL, finished_at = now()
    FROM was
    WHERE t.execution_id = was.execution_id AND t.seq = was.seq
)
INSERT INTO stent.recalls (worker, execution_id, seq, token, at)
SELECT holder, execution_id, seq, token, clock_timestamp() FROM was WHERE state = 'running' AND holder IS NOT NULL
ON CONFLICT (worker, execution_id, seq) DO UPDATE SET token = excluded.token, at = excluded.at;
