-- Puts activities back to their queues for another attempt, and keeps why this one failed.
-- $1 execution, $2 place, $3 token, $4 failure, $5 microseconds until due, $6 detail or NULL
WITH done AS (
    UPDATE stent.tasks AS t
    SET state = 'pending', due_at = now() + u.delay * interval '1 microsecond', rank = coalesce(t.rank, 0),
        attempt = coalesce(t.attempt, 1) + 1, failure = u.failure::json, claimed_by = NULL, detail = coalesce(u.detail, t.detail),
        start_by = now() + (u.delay + t.start_within) * interval '1 microsecond'
    FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::bigint[], $6::bytea[]) AS u (execution_id, seq, token, failure, delay, detail)
    WHERE t.execution_id = u.execution_id AND t.seq = u.seq AND t.token = u.token AND t.state = 'running'
    RETURNING t.execution_id, t.seq, t.attempt - 1 AS attempt, t.worker, t.failure, t.queue, t.token, t.started_at
), kept AS (
    INSERT INTO stent.failures (execution_id, seq, attempt, worker, failure, at, retried, token, started_at)
    SELECT d.execution_id, d.seq, d.attempt, w.id, d.failure, now(), true, d.token, d.started_at
    FROM done AS d LEFT JOIN stent.workers AS w ON w.n = d.worker
)
SELECT array_agg(DISTINCT queue), CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('retries') END FROM done;
