-- Reads executions in the order of their keys, a JSON list. The last column is true of one without history and signals that was not asked to stop.
SELECT e.n, e.id, e.workflow, e.queue, -e.rank, e.tags, e.state, e.task_state, e.due_at, e.worker_id, e.token, e.attempt, e.crashes,
       e.input_hash, e.result, e.failure, e.cause, e.created_at, e.started_at, e.finished_at, coalesce(e.expires_at, e.deadline_at), e.cancel_requested_at, e.wakes, e.effects,
       e.healed_from, e.healed_to, e.parent, e.run, e.base, i.policy, i.metadata, i.carrier, i.input,
       e.cancel_requested_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM tasks WHERE id BETWEEN e.n << 20 AND e.n << 20 | 1048575)
       AND NOT EXISTS (SELECT 1 FROM signals WHERE n = e.n)
FROM json_each(:keys) AS k
JOIN executions AS e ON e.n = k.value
JOIN inputs AS i ON i.n = e.n
ORDER BY k.key;
