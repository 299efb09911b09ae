-- Makes a chore a worker's, if it is due and no other live worker's.
-- $1 name, $2 worker
INSERT INTO stent.chores AS c (name, worker, due_at) VALUES ($1, $2, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET worker = excluded.worker
WHERE c.worker IS NULL AND c.due_at <= clock_timestamp()
   OR c.worker IS NOT NULL AND NOT EXISTS (SELECT FROM stent.workers AS w WHERE w.id = c.worker AND w.ended_at IS NULL AND w.id <> excluded.worker);
