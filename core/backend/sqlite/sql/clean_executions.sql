-- Deletes rows of executions. keys is a JSON list.
DELETE FROM executions WHERE n IN (SELECT value FROM json_each(:keys));
