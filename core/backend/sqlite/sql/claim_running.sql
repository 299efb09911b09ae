-- How many activities of a name run, of those that were claimed from a queue.
SELECT count(*) FROM tasks WHERE step = :step AND claimed_by IS NOT NULL;
