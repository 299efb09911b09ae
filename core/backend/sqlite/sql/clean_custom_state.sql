-- Deletes rows of executions. keys is a JSON list.
DELETE FROM custom_state WHERE n IN (SELECT value FROM json_each(:keys));
