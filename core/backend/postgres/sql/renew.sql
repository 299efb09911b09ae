-- Extends a worker's lease, and tells when the earliest lease of another worker ends, whether tasks were taken
-- from it, when the next of what is limited in time is over, and when the next schedule ticks.
-- $1 id, $2 state, $3 used, $4 microseconds of its lease
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS at
)
UPDATE stent.workers AS w
SET state = $2, used = $3, renewed_at = m.at, lease_until = m.at + $4::bigint * interval '1 microsecond'
FROM moment AS m
WHERE w.id = $1 AND w.ended_at IS NULL
RETURNING w.renewed_at, w.lease_until,
    (SELECT min(o.lease_until) FROM stent.workers AS o WHERE o.ended_at IS NULL AND o.id <> $1),
    w.n, EXISTS (SELECT FROM stent.recalls AS r WHERE r.worker = w.n),
    least((SELECT min(expires_at) FROM stent.executions WHERE expires_at IS NOT NULL),
          (SELECT min(start_by) FROM stent.tasks WHERE start_by IS NOT NULL)),
    (SELECT min(next_at) FROM stent.schedules WHERE next_at IS NOT NULL);
