-- Moves an orchestrator to the dead letters, where an older one of it may be left, if another task's was replayed. The
-- trace id is the second part of a W3C traceparent.
INSERT OR REPLACE INTO dead_letters (execution_id, seq, workflow, step, kind, queue, tags, attempts, crashes, reason, failure, trace_id, moved_at, place)
SELECT e.id, 0, e.workflow, e.workflow, 'orchestrator', e.queue, e.tags, e.attempt, e.crashes, :reason, :failure,
       coalesce(substr(json_extract(i.carrier, '$.traceparent'), 4, 32), ''), :now,
       coalesce((SELECT max(id) & 1048575 FROM tasks WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575), 0)
FROM executions e
JOIN inputs i ON i.n = :n
WHERE e.n = :n;
