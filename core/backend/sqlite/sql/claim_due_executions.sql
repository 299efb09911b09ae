-- The first orchestrators of a lane that are due.
SELECT n, due_at, created_at
FROM executions
WHERE due_at IS NOT NULL AND queue = :queue AND workflow = :step AND tags = :tags AND rank = :rank AND due_at <= :now
ORDER BY due_at, created_at, n
LIMIT :most;
