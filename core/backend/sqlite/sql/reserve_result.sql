-- Makes a key a task's, if no result is kept under it and no other live worker has it.
INSERT INTO results (key, worker, task, token) VALUES (:key, :worker_id, :task, :token)
ON CONFLICT (key) DO UPDATE SET worker = excluded.worker, task = excluded.task, token = excluded.token, result = NULL, expires_at = NULL
WHERE worker IS NULL AND expires_at <= :now
   OR worker IS NOT NULL AND NOT EXISTS (SELECT 1 FROM workers AS w WHERE w.id = results.worker AND w.ended_at IS NULL AND w.id <> excluded.worker);
