-- The next lane of a queue after the given one: orchestrators of one name, with the same tags and the same priority, are
-- alike to a claim. One seek finds it and the first that is due in it, however many there are and however late. A comparison of
-- (name, tags, rank) as a row would read every entry that is equal in all three; hence three seeks, the first that finds
-- something counts.
SELECT * FROM (SELECT workflow, tags, rank, due_at FROM executions
    WHERE due_at IS NOT NULL AND queue = :queue AND workflow = :step AND tags = :tags AND rank > :rank
    ORDER BY rank, due_at LIMIT 1)
UNION ALL
SELECT * FROM (SELECT workflow, tags, rank, due_at FROM executions
    WHERE due_at IS NOT NULL AND queue = :queue AND workflow = :step AND tags > :tags
    ORDER BY tags, rank, due_at LIMIT 1)
UNION ALL
SELECT * FROM (SELECT workflow, tags, rank, due_at FROM executions
    WHERE due_at IS NOT NULL AND queue = :queue AND workflow > :step
    ORDER BY workflow, tags, rank, due_at LIMIT 1)
LIMIT 1;
