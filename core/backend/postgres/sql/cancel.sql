-- Asks executions to stop; no two of the ids may be the same. One that no worker has ever begun ends at once; another is
-- woken, and is due if it waits for anything. In the order of the parameters it tells of each whether it is known, whether
-- anything changed, its orchestrator's state, whether it had been asked before, and whom a wake concerns.
-- $1 id, $2 the id as text, $3 actor, $4 reason
WITH done AS (
    UPDATE stent.executions AS e
    SET cancel_requested_at = now(),
        state       = CASE WHEN e.started_at IS NULL THEN 'cancelled' ELSE e.state END,
        finished_at = CASE WHEN e.started_at IS NULL THEN now() END,
        expires_at  = CASE WHEN e.started_at IS NULL THEN NULL ELSE e.expires_at END,
        due_at      = CASE WHEN e.started_at IS NULL OR e.state = 'running' THEN NULL ELSE least(e.due_at, now()) END,
        woken       = CASE e.state WHEN 'running' THEN true ELSE e.woken END,
        wakes       = CASE e.state WHEN 'running' THEN coalesce(e.wakes, 0) + 1 ELSE e.wakes END
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS u (id, name, actor, reason)
    WHERE e.id = u.id AND e.cancel_requested_at IS NULL AND e.state IN ('pending', 'running', 'waiting')
    RETURNING e.id, e.state, e.worker, e.queue, u.name, u.actor, u.reason
), tallied AS (
    INSERT INTO stent.tallies (state, n) SELECT 'cancelled', count(*) FROM done WHERE state = 'cancelled' HAVING count(*) > 0
), kept AS (
    INSERT INTO stent.audit (at, actor, action, execution_id, seq, detail) SELECT now(), actor, 'cancel', name, 0, reason FROM done
)
SELECT e.id IS NOT NULL, d.id IS NOT NULL, coalesce(d.state, e.state)::text, coalesce(e.cancel_requested_at IS NOT NULL, false), d.worker, d.queue
FROM unnest($1) WITH ORDINALITY AS u (id, place)
LEFT JOIN stent.executions AS e ON e.id = u.id
LEFT JOIN done AS d ON d.id = u.id
ORDER BY u.place;
