-- Notes that an activity got another task's result.
INSERT OR REPLACE INTO results_used (execution_id, seq, task) VALUES (:execution_id, :seq, :task);
