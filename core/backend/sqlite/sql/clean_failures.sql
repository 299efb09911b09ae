-- Deletes the failed attempts of executions, but those of dead letters. keys is a JSON list.
DELETE FROM failures
WHERE execution_id IN (SELECT id FROM executions WHERE n IN (SELECT value FROM json_each(:keys)))
  AND NOT EXISTS (SELECT 1 FROM dead_letters AS d WHERE d.execution_id = failures.execution_id AND d.seq = failures.seq);
