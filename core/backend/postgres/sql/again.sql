-- Gives orchestrators' leases back for another attempt, and keeps why this one failed.
-- $1 id, $2 token, $3 failure, $4 microseconds until due
WITH done AS (
    UPDATE stent.executions AS e
    SET state = 'pending', due_at = CASE WHEN e.cancel_requested_at IS NULL THEN now() + u.delay * interval '1 microsecond' ELSE now() END, attempt = coalesce(e.attempt, 1) + 1, woken = NULL
    FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[]) AS u (id, token, failure, delay)
    WHERE e.id = u.id AND e.token = u.token AND e.state = 'running'
    RETURNING e.id, e.attempt - 1 AS attempt, e.worker, e.queue, u.failure, e.token, e.started_at
), kept AS (
    INSERT INTO stent.failures (execution_id, seq, attempt, worker, failure, at, retried, token, started_at)
    SELECT d.id, 0, d.attempt, w.id, d.failure::json, now(), true, d.token, d.started_at
    FROM done AS d LEFT JOIN stent.workers AS w ON w.n = d.worker
)
SELECT array_agg(DISTINCT queue), CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('turns') END FROM done;
