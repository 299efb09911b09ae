-- When the first of a lane is due of those that are not yet.
SELECT min(due_at)
FROM tasks
WHERE due_at IS NOT NULL AND queue = :queue AND step = :step AND tags = :tags AND rank = :rank AND due_at > :now;
