-- The tasks that were taken from a worker while it ran them.
SELECT e.id, r.task & 1048575, r.token, e.state, e.deadline_at - e.created_at
FROM recalls AS r JOIN executions AS e ON e.n = r.task >> 20
WHERE r.worker_id = :worker_id
ORDER BY r.task;
