-- Notes that an activity got another task's result.
-- $1 execution, $2 place, $3 the other task
INSERT INTO stent.results_used (execution_id, seq, task) VALUES ($1, $2, $3)
ON CONFLICT (execution_id, seq) DO UPDATE SET task = excluded.task;
