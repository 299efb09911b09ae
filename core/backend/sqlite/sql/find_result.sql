-- What is kept under a key, or who has it.
SELECT worker IS NOT NULL, task, result FROM results WHERE key = :key;
