-- When the last execution with at most a number was created, and its number.
SELECT n, created_at FROM executions WHERE n <= :n ORDER BY n DESC LIMIT 1;
