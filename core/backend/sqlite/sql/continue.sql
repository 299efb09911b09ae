-- Begins another run of an execution: its history is empty.
UPDATE executions
SET run = :run, base = :base, attempt = 1, crashes = 0, effects = 0, healed_from = 0, healed_to = 0
WHERE n = :n AND token = :token AND task_state = 'running';
