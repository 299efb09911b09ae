-- What a claim tells of the tasks that it took.
SELECT coalesce(e.alias, e.id::text), t.seq, t.key, t.step, e.workflow, t.queue, t.rank, nullif(t.tags, '')::text[], t.was_due,
       t.token, t.attempt, t.crashes, t.policy, t.input, t.input_hash, t.failure, t.created_at, t.started_at, false, e.metadata, e.carrier, NULL, NULL, NULL, t.detail, NULL
FROM claimed_tasks AS t JOIN stent.executions AS e ON e.id = t.execution_id
