-- The queues that anything is in, now or later: two seeks for each, whatever is in them.
WITH RECURSIVE
    executions_in(queue) AS (
        SELECT min(queue) FROM executions WHERE due_at IS NOT NULL
        UNION ALL
        SELECT (SELECT min(queue) FROM executions WHERE due_at IS NOT NULL AND queue > executions_in.queue) FROM executions_in WHERE queue IS NOT NULL
    ),
    tasks_in(queue) AS (
        SELECT min(queue) FROM tasks WHERE due_at IS NOT NULL
        UNION ALL
        SELECT (SELECT min(queue) FROM tasks WHERE due_at IS NOT NULL AND queue > tasks_in.queue) FROM tasks_in WHERE queue IS NOT NULL
    )
SELECT queue FROM executions_in WHERE queue IS NOT NULL
UNION
SELECT queue FROM tasks_in WHERE queue IS NOT NULL;
