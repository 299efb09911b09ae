-- Makes a key a task's, if no result is kept under it and no other live worker has it.
-- $1 key, $2 worker, $3 task, $4 token
INSERT INTO stent.results AS r (key, worker, task, token) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE SET worker = excluded.worker, task = excluded.task, token = excluded.token, result = NULL, expires_at = NULL
WHERE r.worker IS NULL AND r.expires_at <= clock_timestamp()
   OR r.worker IS NOT NULL AND NOT EXISTS (SELECT FROM stent.workers AS w WHERE w.id = r.worker AND w.ended_at IS NULL AND w.id <> excluded.worker);
