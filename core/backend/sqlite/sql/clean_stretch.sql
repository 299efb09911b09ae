-- The last of the next executions in the order of their creation, so many of them, and when it was created; nothing if
-- there are fewer.
SELECT n, created_at FROM executions WHERE n > :after ORDER BY n LIMIT 1 OFFSET :most - 1;
