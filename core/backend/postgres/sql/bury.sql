-- Ends activities for good: their last failure is kept, and they are dead letters. The trace id is the second part of a
-- W3C traceparent.
-- $1 execution, $2 place, $3 token, $4 state, $5 failure, $6 reason, $7 the state that they are in
WITH done AS (
    UPDATE stent.tasks AS t
    SET state = u.state::stent.state, failure = u.failure::json, finished_at = now(), claimed_by = NULL, due_at = NULL, start_by = NULL
    FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[]) AS u (execution_id, seq, token, state, failure, reason)
    WHERE t.execution_id = u.execution_id AND t.seq = u.seq AND t.token = u.token AND t.state = $7::text::stent.state
    RETURNING t.execution_id, t.seq, t.step, coalesce(t.kind, 'activity') AS kind, t.queue, t.tags, coalesce(t.attempt, 1) AS attempt,
              coalesce(t.crashes, 0) AS crashes, t.worker, t.failure, u.reason, t.token, t.started_at
), kept AS (
    INSERT INTO stent.failures (execution_id, seq, attempt, worker, failure, at, retried, token, started_at)
    SELECT d.execution_id, d.seq, d.attempt, w.id, d.failure, now(), false, d.token, d.started_at
    FROM done AS d LEFT JOIN stent.workers AS w ON w.n = d.worker
), moved AS (
    INSERT INTO stent.dead_letters (execution_id, alias, seq, workflow, step, kind, queue, tags, attempts, crashes, reason, failure, trace_id, moved_at, place)
    SELECT d.execution_id, e.alias, d.seq, e.workflow, d.step, d.kind, d.queue, d.tags, d.attempt, d.crashes, d.reason, d.failure,
           coalesce(split_part(e.carrier ->> 'traceparent', '-', 2), ''), now(),
           (SELECT max(t.seq) FROM stent.tasks AS t WHERE t.execution_id = d.execution_id)
    FROM done AS d JOIN stent.executions AS e ON e.id = d.execution_id
    ON CONFLICT (execution_id, seq) DO UPDATE -- an older one of a former run may be left
    SET n = DEFAULT, workflow = excluded.workflow, step = excluded.step, queue = excluded.queue, tags = excluded.tags, attempts = excluded.attempts,
        crashes = excluded.crashes, reason = excluded.reason, failure = excluded.failure, moved_at = excluded.moved_at, place = excluded.place
)
SELECT CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('burials') END FROM done;
