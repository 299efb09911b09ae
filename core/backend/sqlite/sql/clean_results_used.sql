-- Deletes rows of executions. keys is a JSON list.
DELETE FROM results_used WHERE execution_id IN (SELECT id FROM executions WHERE n IN (SELECT value FROM json_each(:keys)));
