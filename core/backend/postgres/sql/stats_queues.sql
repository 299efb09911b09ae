-- What waits, runs and is dead, by queue.
-- $1 now
-- What is held is looked up one by one (OFFSET 0 keeps the planner from joining in another order): how much is held it can
-- only guess, and a guess too high would have it read all executions.
WITH held AS MATERIALIZED (
    SELECT DISTINCT worker, unnest(executions) AS id FROM stent.held
)
SELECT queue, sum(depth)::bigint, sum(scheduled)::bigint, sum(running)::bigint, sum(dead)::bigint, sum(workers)::bigint, bool_or(paused), min(oldest_due), min(oldest_running), min(oldest_dead)
FROM (
    SELECT queue, count(*) FILTER (WHERE due_at <= $1) AS depth, count(*) FILTER (WHERE due_at > $1) AS scheduled, 0 AS running, 0 AS dead, 0 AS workers,
           false AS paused, min(due_at) FILTER (WHERE due_at <= $1) AS oldest_due,
           NULL::timestamptz AS oldest_running, NULL::timestamptz AS oldest_dead
    FROM stent.executions WHERE due_at IS NOT NULL GROUP BY queue
    UNION ALL
    SELECT queue, count(*) FILTER (WHERE due_at <= $1), count(*) FILTER (WHERE due_at > $1), 0, 0, 0, false, min(due_at) FILTER (WHERE due_at <= $1), NULL, NULL
    FROM stent.tasks WHERE due_at IS NOT NULL GROUP BY queue
    UNION ALL
    SELECT e.queue, 0, 0, count(*), 0, 0, false, NULL, NULL, NULL
    FROM held AS h CROSS JOIN LATERAL (
        SELECT queue FROM stent.executions WHERE id = h.id AND worker = h.worker AND state = 'running' OFFSET 0
    ) AS e GROUP BY e.queue
    UNION ALL
    SELECT t.queue, 0, 0, count(*), 0, 0, false, NULL, min(t.started_at), NULL
    FROM held AS h CROSS JOIN LATERAL (
        SELECT t.queue, t.started_at FROM stent.executions AS e JOIN stent.tasks AS t ON t.execution_id = e.id
        WHERE e.id = h.id AND e.worker = h.worker AND e.state = 'running' AND t.state = 'running' AND t.claimed_by IS NULL OFFSET 0
    ) AS t GROUP BY t.queue
    UNION ALL
    SELECT queue, 0, 0, count(*), 0, 0, false, NULL, min(started_at), NULL FROM stent.tasks WHERE claimed_by IS NOT NULL GROUP BY queue
    UNION ALL
    SELECT queue, 0, 0, 0, count(*), 0, false, NULL, NULL, min(moved_at) FROM stent.dead_letters GROUP BY queue
    UNION ALL
    SELECT q.queue, 0, 0, 0, 0, count(*), false, NULL, NULL, NULL
    FROM stent.workers AS w CROSS JOIN LATERAL unnest(w.queues) AS q (queue) WHERE w.ended_at IS NULL AND w.lease_until > $1 GROUP BY q.queue
    UNION ALL
    SELECT name, 0, 0, 0, 0, 0, paused, NULL, NULL, NULL FROM stent.queues
) AS parts
GROUP BY queue
ORDER BY queue;
