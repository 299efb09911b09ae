-- Reads executions in the order of their ids.
-- $1 id
SELECT coalesce(e.alias, e.id::text), e.workflow, e.queue, e.rank, nullif(e.tags, '')::text[],
       CASE WHEN e.finished_at IS NOT NULL THEN e.state::text
            WHEN e.cancel_requested_at IS NOT NULL THEN 'cancelling'
            WHEN e.started_at IS NULL THEN 'pending'
            ELSE 'running' END,
       e.state::text, e.due_at, w.id, e.token, e.attempt, e.crashes, e.policy, e.input, e.input_hash, e.result, e.failure, e.cause,
       e.created_at, e.started_at, e.finished_at, coalesce(e.expires_at, e.deadline_at), e.cancel_requested_at, e.metadata, e.carrier, e.wakes, e.effects, e.healed_from, e.healed_to,
       coalesce(e.parent_alias, e.parent_id::text) || '.' || e.parent_seq, e.run, e.base,
       CASE e.state WHEN 'running' THEN w.lease_until END
FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, place)
JOIN stent.executions AS e ON e.id = u.id
LEFT JOIN stent.workers AS w ON w.n = e.worker
ORDER BY u.place;
