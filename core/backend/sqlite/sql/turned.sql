-- Notes what a turn changed about an orchestrator: how often it crashed, since a turn is a success, and its effects.
UPDATE executions SET crashes = :crashes, effects = :effects
WHERE n = :n AND token = :token AND task_state = 'running';
