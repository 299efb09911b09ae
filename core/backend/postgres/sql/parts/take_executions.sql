-- Gives the executions of picked_executions to the worker, and notes that in held.
claimed_executions AS (
    UPDATE stent.executions AS e
    SET state = 'running', due_at = NULL, worker = $1, token = e.token + 1, woken = NULL,
        started_at    = coalesce(e.started_at, statement_timestamp()),
        started_token = CASE WHEN e.started_at IS NULL THEN nullif(e.token + 1, 1) ELSE e.started_token END
    FROM picked_executions AS p
    WHERE e.ctid = p.at
    RETURNING e.*, p.due_at AS was_due
), journal AS (
    INSERT INTO stent.held (worker, executions) SELECT $1, array_agg(e.id) FROM claimed_executions AS e HAVING count(*) > 0 RETURNING n
),
