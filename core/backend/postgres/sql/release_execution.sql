-- Gives orchestrators back to their queues as if they had not been claimed.
-- $1 id, $2 token
WITH done AS (
    UPDATE stent.executions AS e
    SET state = 'pending', due_at = now(), woken = NULL,
        started_at    = CASE WHEN coalesce(e.started_token, 1) = e.token THEN NULL ELSE e.started_at END,
        started_token = CASE WHEN coalesce(e.started_token, 1) = e.token THEN NULL ELSE e.started_token END
    FROM unnest($1::uuid[], $2::integer[]) AS u (id, token)
    WHERE e.id = u.id AND e.token = u.token AND e.state = 'running'
    RETURNING e.queue
)
SELECT array_agg(DISTINCT queue), CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('releases') END FROM done;
