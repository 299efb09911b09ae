-- Notes what a turn changed about an orchestrator that goes on: a turn that was committed is a success.
UPDATE executions SET crashes = 0, effects = :effects
WHERE n = :n AND token = :token AND task_state = 'running';
