-- Counts the last crash of an orchestrator that is about to be buried.
UPDATE executions SET crashes = crashes + 1 WHERE n = :n;
