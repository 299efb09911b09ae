-- The workers, newest first, also those that ended in the last day.
SELECT id, host, pid, queues, tags, steps, limits, slots, used, state, version, started_at, renewed_at, lease_until
FROM stent.workers
WHERE ended_at IS NULL OR ended_at > clock_timestamp() - interval '1 day'
ORDER BY n DESC;
