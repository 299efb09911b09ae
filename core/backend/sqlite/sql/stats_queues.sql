-- What waits, runs and is dead, by queue.
SELECT queue, sum(depth), sum(scheduled), sum(running), sum(dead), sum(workers), max(paused), min(oldest_due), min(oldest_running), min(oldest_dead) FROM (
    SELECT queue, sum(due_at <= :now) AS depth, sum(due_at > :now) AS scheduled, 0 AS running, 0 AS dead, 0 AS workers,
           0 AS paused, min(CASE WHEN due_at <= :now THEN due_at END) AS oldest_due, NULL AS oldest_running, NULL AS oldest_dead
    FROM executions INDEXED BY executions_claimable WHERE due_at IS NOT NULL GROUP BY queue
    UNION ALL
    SELECT queue, sum(due_at <= :now), sum(due_at > :now), 0, 0, 0, 0, min(CASE WHEN due_at <= :now THEN due_at END), NULL, NULL
    FROM tasks INDEXED BY tasks_claimable WHERE due_at IS NOT NULL GROUP BY queue
    UNION ALL
    SELECT queue, 0, 0, count(*), 0, 0, 0, NULL, NULL, NULL
    FROM executions INDEXED BY executions_held WHERE task_state = 'running' GROUP BY queue
    UNION ALL
    SELECT t.queue, 0, 0, count(*), 0, 0, 0, NULL, min(t.started_at), NULL
    FROM executions AS e INDEXED BY executions_held
    JOIN tasks AS t ON t.id BETWEEN e.n << 20 AND e.n << 20 | 1048575
    WHERE e.task_state = 'running' AND t.state = 'running' AND t.claimed_by IS NULL GROUP BY t.queue
    UNION ALL
    SELECT queue, 0, 0, count(*), 0, 0, 0, NULL, min(started_at), NULL
    FROM tasks INDEXED BY tasks_claimed WHERE claimed_by IS NOT NULL GROUP BY queue
    UNION ALL
    SELECT queue, 0, 0, 0, count(*), 0, 0, NULL, NULL, min(moved_at) FROM dead_letters GROUP BY queue
    UNION ALL
    SELECT q.value, 0, 0, 0, 0, count(*), 0, NULL, NULL, NULL
    FROM workers AS w JOIN json_each(w.queues) AS q WHERE w.ended_at IS NULL AND w.lease_until > :now AND w.queues <> '' GROUP BY q.value
    UNION ALL
    SELECT name, 0, 0, 0, 0, 0, paused, NULL, NULL, NULL FROM queues
)
GROUP BY queue
ORDER BY queue;
