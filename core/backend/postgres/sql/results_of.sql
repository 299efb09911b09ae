-- Which activities of an execution got another task's result.
-- $1 execution
SELECT seq, task FROM stent.results_used WHERE execution_id = $1;
