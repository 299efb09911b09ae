-- Reads tasks, but for orchestrators, in the order of the parameters.
-- $1 execution, $2 place
SELECT coalesce(e.alias, e.id::text), t.seq, t.key, coalesce(t.kind, 'activity')::text, t.step, e.workflow, t.queue, t.rank, nullif(t.tags, '')::text[],
       t.state::text, coalesce(t.due_at, t.fires_at), w.id, t.token, t.attempt, t.crashes, t.policy, t.input, t.input_hash, t.result, t.failure,
       coalesce(t.created_at, t.started_at), t.started_at, t.finished_at, CASE t.state WHEN 'running' THEN w.lease_until END,
       coalesce(t.child_alias, t.child_id::text), t.detached, t.detail
FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY AS u (execution_id, seq, place)
JOIN stent.tasks AS t ON t.execution_id = u.execution_id AND t.seq = u.seq
JOIN stent.executions AS e ON e.id = t.execution_id
LEFT JOIN stent.workers AS w ON w.n = t.worker
ORDER BY u.place;
