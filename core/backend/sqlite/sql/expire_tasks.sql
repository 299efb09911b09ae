-- Activities that no worker took in time.
SELECT t.n, e.id, t.seq, t.step, t.queue, t.token, t.start_within
FROM tasks AS t JOIN executions AS e ON e.n = t.id >> 20
WHERE t.start_by <= :now AND t.state = 'pending'
ORDER BY t.start_by
LIMIT :most;
