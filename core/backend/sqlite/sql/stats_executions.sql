-- Executions by state.
SELECT state, n FROM tallies;
