-- Reads what others may have written of executions that a worker has in its memory: an execution's row as often as tasks
-- have ended beyond the place up to which that is known, and once where none has.
-- $1 id, $2 the place
SELECT u.nth, CASE WHEN e.cancel_requested_at IS NULL THEN e.state::text ELSE 'cancelling' END, e.rank, e.token, e.run, e.effects, e.wakes,
       t.seq, coalesce(t.kind, 'activity')::text, t.state::text, t.attempt, t.result, t.failure
FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY AS u (id, known, nth)
JOIN stent.executions AS e ON e.id = u.id
LEFT JOIN stent.tasks AS t ON t.execution_id = u.id AND t.seq > greatest(u.known, coalesce(e.base, 0))
                          AND t.state IN ('completed', 'failed', 'cancelled', 'timed_out')
ORDER BY u.nth, t.seq;
