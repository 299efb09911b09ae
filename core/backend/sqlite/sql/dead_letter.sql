-- Moves an activity to the dead letters, where an older one with its id may be left of a former run. The trace id is the second part of a W3C traceparent.
INSERT OR REPLACE INTO dead_letters (execution_id, seq, workflow, step, kind, queue, tags, attempts, crashes, reason, failure, trace_id, moved_at, place)
SELECT e.id, t.seq, e.workflow, t.step, t.kind, t.queue, t.tags, t.attempt, t.crashes, :reason, :failure,
       coalesce(substr(json_extract(i.carrier, '$.traceparent'), 4, 32), ''), :now,
       (SELECT max(id) & 1048575 FROM tasks WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575)
FROM tasks t
JOIN executions e ON e.n = :n
JOIN inputs i ON i.n = :n
WHERE t.id = (:n << 20 | :seq);
