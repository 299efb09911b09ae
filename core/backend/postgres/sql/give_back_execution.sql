-- Gives the orchestrators of ended workers back to their queues.
-- $1 id, $2 token, $3 crashes to add
UPDATE stent.executions AS e
SET state = 'pending', due_at = now(), crashes = nullif(coalesce(e.crashes, 0) + u.crashes, 0), woken = NULL
FROM unnest($1::uuid[], $2::integer[], $3::integer[]) AS u (id, token, crashes)
WHERE e.id = u.id AND e.token = u.token AND e.state = 'running';
