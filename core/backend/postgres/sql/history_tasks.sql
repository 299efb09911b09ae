-- Reads the histories of executions, of their present runs.
-- $1 id
SELECT coalesce(e.alias, e.id::text), t.seq, t.key, coalesce(t.kind, 'activity')::text, t.step, e.workflow, t.queue, t.rank, nullif(t.tags, '')::text[],
       t.state::text, coalesce(t.due_at, t.fires_at), w.id, t.token, t.attempt, t.crashes, t.policy, t.input, t.input_hash, t.result, t.failure,
       coalesce(t.created_at, t.started_at), t.started_at, t.finished_at, NULL::timestamptz,
       coalesce(t.child_alias, t.child_id::text), t.detached, t.detail
FROM unnest($1::uuid[]) AS u (id)
JOIN stent.executions AS e ON e.id = u.id
JOIN stent.tasks AS t ON t.execution_id = u.id AND t.seq > coalesce(e.base, 0)
LEFT JOIN stent.workers AS w ON w.n = t.worker
ORDER BY t.execution_id, t.seq;
