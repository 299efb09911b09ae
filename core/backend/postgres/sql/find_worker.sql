-- The number by which a worker is known to its tasks, and whether it may write.
-- $1 the worker's id
SELECT n, ended_at IS NULL FROM stent.workers WHERE id = $1;
