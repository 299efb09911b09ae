-- Deletes the whole histories of executions, as other runs begin whose places begin with the first again.
-- $1 id
DELETE FROM stent.tasks WHERE execution_id = ANY ($1::uuid[]);
