-- What a claim tells of the executions that it took.
SELECT coalesce(e.alias, e.id::text) AS execution, 0 AS seq, NULL AS key, e.workflow AS step, e.workflow, e.queue, e.rank, nullif(e.tags, '')::text[], e.was_due,
       e.token, e.attempt, e.crashes, e.policy, e.input, e.input_hash, e.failure, e.created_at, e.started_at,
       e.cancel_requested_at IS NULL AND (e.token = 1 OR NOT EXISTS (SELECT FROM stent.tasks AS t WHERE t.execution_id = e.id))
       AND NOT EXISTS (SELECT FROM stent.signals AS s WHERE s.execution_id = e.id) AS fresh, e.metadata, e.carrier,
       coalesce(e.parent_alias, e.parent_id::text) || '.' || e.parent_seq AS parent, e.run, e.base, NULL::bytea AS detail,
       (extract(epoch FROM e.expires_at - statement_timestamp()) * 1000000)::bigint AS expiry
FROM claimed_executions AS e
