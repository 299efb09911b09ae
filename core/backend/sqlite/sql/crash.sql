-- Counts the last crash of a task that is about to be buried.
UPDATE tasks SET crashes = crashes + 1 WHERE id = (:n << 20 | :seq);
