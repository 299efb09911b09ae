-- Cancels unfinished tasks that nobody waits for any more, because their executions end or are to stop, and keeps how they
-- were. Other workers that run them are told.
-- $1 execution, $2 place, $3 the worker
WITH was AS MATERIALIZED (
    SELECT t.execution_id, t.seq, t.token, t.state, t.due_at, t.claimed_by AS holder
    FROM unnest($1::uuid[], $2::integer[]) AS u (execution_id, seq)
    JOIN stent.tasks AS t ON t.execution_id = u.execution_id AND t.seq = u.seq
    WHERE  t.state IN ('pending', 'running', 'waiting')
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
SELECT holder, execution_id, seq, token, clock_timestamp() FROM was WHERE state = 'running' AND holder <> $3::integer
ON CONFLICT (worker, execution_id, seq) DO UPDATE SET token = excluded.token, at = excluded.at;
