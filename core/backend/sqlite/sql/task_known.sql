-- What tells whether a change of a task was applied before.
SELECT state, token, key FROM tasks WHERE id = (:n << 20 | :seq);
