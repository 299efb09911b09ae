-- Keeps the count of executions in a state.
INSERT INTO tallies (state, n) VALUES (:state, :delta)
ON CONFLICT (state) DO UPDATE SET n = n + excluded.n;
