-- The first activities of a lane that are due.
SELECT id, due_at, created_at
FROM tasks
WHERE due_at IS NOT NULL AND queue = :queue AND step = :step AND tags = :tags AND rank = :rank AND due_at <= :now
ORDER BY due_at, created_at, id
LIMIT :most;
