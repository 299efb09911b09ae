-- Executions of a stretch that ended before a time, which is another for each state, and how long their histories are.
SELECT n, state, coalesce((SELECT max(t.id) & 1048575 FROM tasks AS t WHERE t.id BETWEEN e.n << 20 AND e.n << 20 | 1048575), 0)
FROM executions AS e
WHERE n > :after AND n <= :until
  AND finished_at < CASE state WHEN 'completed' THEN :completed WHEN 'failed' THEN :failed
                               WHEN 'timed_out' THEN :timed_out WHEN 'cancelled' THEN :cancelled END
ORDER BY n
LIMIT :most;
