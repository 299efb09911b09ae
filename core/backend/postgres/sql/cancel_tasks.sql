-- Cancels tasks of executions that this transaction asked to stop: those in queues, and those that run where nobody has the
-- orchestrator, whose workers are told. What a workflow waits for besides is left to it, unless it never began.
-- $1 id
WITH was AS MATERIALIZED (
    SELECT t.execution_id, t.seq, t.token, t.state, t.claimed_by
    FROM unnest($1::uuid[]) AS u (id)
    JOIN stent.executions AS e ON e.id = u.id AND e.cancel_requested_at = now()
    JOIN stent.tasks AS t ON t.execution_id = e.id
    WHERE t.state = 'pending' OR t.state = 'running' AND e.state <> 'running' OR t.state = 'waiting' AND e.state = 'cancelled'
    FOR NO KEY UPDATE OF t
), done AS (
    UPDATE stent.tasks AS t
    SET state = 'cancelled', due_at = NULL, start_by = NULL, claimed_by = NULL, finished_at = now()
    FROM was
    WHERE t.execution_id = was.execution_id AND t.seq = was.seq
)
INSERT INTO stent.recalls (worker, execution_id, seq, token, at)
SELECT claimed_by, execution_id, seq, token, clock_timestamp() FROM was WHERE state = 'running' AND claimed_by IS NOT NULL
ON CONFLICT (worker, execution_id, seq) DO UPDATE SET token = excluded.token, at = excluded.at;
