-- Reads the history of an execution, of its present run.
SELECT t.id, e.id, t.seq, t.key, t.kind, t.step, e.workflow, t.queue, -t.rank, t.tags, t.state, coalesce(t.due_at, t.fires_at), t.worker_id,
       t.token, t.attempt, t.crashes, t.policy, t.input, t.input_hash, t.result, t.failure, t.detail, t.created_at, t.started_at, t.finished_at, t.child, t.detached
FROM tasks AS t
JOIN executions AS e ON e.n = :n
WHERE t.id BETWEEN (:n << 20) + e.base + 1 AND :n << 20 | 1048575
ORDER BY t.id;
