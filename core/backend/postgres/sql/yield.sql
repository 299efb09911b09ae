-- Gives orchestrators' leases back because their workflows wait. What they have not seen makes them due at once.
-- $1 id, $2 token, $3 wakes that were seen, $4 microseconds until due, negative for never
WITH done AS (
    UPDATE stent.executions AS e
    SET state = 'waiting', woken = NULL,
        due_at = CASE WHEN coalesce(e.wakes, 0) > u.seen THEN now() WHEN u.delay >= 0 THEN now() + u.delay * interval '1 microsecond' END
    FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::bigint[]) AS u (id, token, seen, delay)
    WHERE e.id = u.id AND e.token = u.token AND e.state = 'running'
    RETURNING e.queue, e.due_at
)
SELECT array_agg(DISTINCT queue) FILTER (WHERE due_at IS NOT NULL), CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('turns') END FROM done;
