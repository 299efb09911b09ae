-- Reads tasks, but for orchestrators, in the order of their keys, a JSON list, with what a claim tells of the execution.
SELECT t.id, e.id, t.seq, t.key, t.kind, t.step, e.workflow, t.queue, -t.rank, t.tags, t.state, coalesce(t.due_at, t.fires_at), t.worker_id,
       t.token, t.attempt, t.crashes, t.policy, t.input, t.input_hash, t.result, t.failure, t.detail, t.created_at, t.started_at, t.finished_at, t.child, t.detached, i.metadata, i.carrier
FROM json_each(:keys) AS k
JOIN tasks AS t ON t.id = k.value
JOIN executions AS e ON e.n = t.id >> 20
JOIN inputs AS i ON i.n = e.n
ORDER BY k.key;
