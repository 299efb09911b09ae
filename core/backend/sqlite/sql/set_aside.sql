-- Frees the key of an entry that no longer fits the workflow.
UPDATE tasks SET key = '' WHERE id = (:n << 20 | :seq);
