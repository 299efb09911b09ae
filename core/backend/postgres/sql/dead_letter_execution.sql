-- Moves orchestrators that have just ended to the dead letters, unless their executions were cancelled, and keeps their
-- last failures. An older letter of an orchestrator may be left, if another task's was replayed. The trace id is the second part of a W3C traceparent.
-- $1 id, $2 reason, $3 failure
WITH dead AS MATERIALIZED (
    SELECT e.id, e.alias, e.workflow, e.queue, e.tags, coalesce(e.attempt, 1) AS attempt, coalesce(e.crashes, 0) AS crashes, w.id AS worker,
           e.carrier, u.reason, u.failure::json AS failure, e.token, e.started_at
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u (id, reason, failure)
    JOIN stent.executions AS e ON e.id = u.id AND e.state <> 'cancelled'
    LEFT JOIN stent.workers AS w ON w.n = e.worker
), kept AS (
    INSERT INTO stent.failures (execution_id, seq, attempt, worker, failure, at, retried, token, started_at)
    SELECT id, 0, attempt, worker, failure, now(), false, token, started_at FROM dead
)
INSERT INTO stent.dead_letters (execution_id, alias, seq, workflow, step, kind, queue, tags, attempts, crashes, reason, failure, trace_id, moved_at, place)
SELECT d.id, d.alias, 0, d.workflow, d.workflow, 'orchestrator', d.queue, d.tags, d.attempt, d.crashes, d.reason, d.failure,
       coalesce(split_part(d.carrier ->> 'traceparent', '-', 2), ''), now(),
       coalesce((SELECT max(t.seq) FROM stent.tasks AS t WHERE t.execution_id = d.id), 0)
FROM dead AS d
ON CONFLICT (execution_id, seq) DO UPDATE
SET n = DEFAULT, queue = excluded.queue, attempts = excluded.attempts, crashes = excluded.crashes, reason = excluded.reason,
    failure = excluded.failure, moved_at = excluded.moved_at, place = excluded.place;
