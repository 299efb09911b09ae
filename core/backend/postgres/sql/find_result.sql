-- What is kept under a key, or who has it.
-- $1 key
SELECT worker IS NOT NULL, task, result FROM stent.results WHERE key = $1;
