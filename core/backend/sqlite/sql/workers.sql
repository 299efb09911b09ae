-- The workers, newest first.
SELECT id, host, pid, queues, tags, steps, limits, slots, used, state, version, started_at, renewed_at, lease_until
FROM workers
ORDER BY n DESC;
