-- The fence of turns, a JSON list of pairs of execution and token: a row with its place in the list for each whose
-- orchestrator's lease stands. The state is left out where it is the usual one, since a string costs two allocations.
SELECT t.key, e.n, nullif(e.state, 'running'), e.crashes, e.effects, e.run
FROM json_each(:turns) AS t
CROSS JOIN executions AS e ON e.id = t.value ->> 0
WHERE e.token = t.value ->> 1 AND e.task_state = 'running';
