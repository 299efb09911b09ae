-- Adds a worker.
-- $1 id, $2 host, $3 pid, $4 queues, $5 tags, $6 steps, $7 slots, $8 used, $9 state, $10 version, $11 microseconds of its lease, $12 limits
INSERT INTO stent.workers (id, host, pid, queues, tags, steps, slots, used, state, version, started_at, renewed_at, lease_until, limits)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, c.now, c.now, c.now + $11::bigint * interval '1 microsecond', $12
FROM (SELECT clock_timestamp() AS now) AS c
RETURNING n, started_at;
