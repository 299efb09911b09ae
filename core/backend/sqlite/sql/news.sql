-- Reads what others may have written of an execution that a worker has in its memory: its row as often as tasks have ended
-- beyond the place up to which that is known, and once where none has.
SELECT e.n, e.state, -e.rank, e.token, e.run, e.effects, e.wakes, t.seq, t.kind, t.state, t.attempt, t.result, t.failure
FROM executions AS e
LEFT JOIN tasks AS t ON t.id BETWEEN (e.n << 20) + max(e.base, :known) + 1 AND e.n << 20 | 1048575
                    AND t.state IN ('completed', 'failed', 'cancelled', 'timed_out')
WHERE e.id = :execution_id
ORDER BY t.id;
