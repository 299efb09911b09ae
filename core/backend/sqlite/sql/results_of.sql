-- Which activities of an execution got another task's result.
SELECT seq, task FROM results_used WHERE execution_id = :execution_id;
