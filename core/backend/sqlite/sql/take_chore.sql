-- Makes a chore a worker's, if it is due and no other live worker's.
INSERT INTO chores (name, worker, due_at) VALUES (:name, :worker_id, :now)
ON CONFLICT (name) DO UPDATE SET worker = excluded.worker
WHERE worker IS NULL AND due_at <= :now
   OR worker IS NOT NULL AND NOT EXISTS (SELECT 1 FROM workers AS w WHERE w.id = chores.worker AND w.ended_at IS NULL AND w.id <> excluded.worker);
