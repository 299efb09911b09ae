-- Extends a worker's lease, and tells when the earliest lease of another worker ends.
-- $1 id, $2 state, $3 used, $4 microseconds of its lease
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS at
)
UPDATE stent.workers AS w
SET state = $2, used = $3, renewed_at = m.at, lease_until = m.at + $4::bigint * interval '1 microsecond'
FROM moment AS m
WHERE w.id = $1 AND w.ended_at IS NULL
RETURNING w.renewed_at, w.lease_until,
    (SELECT min(o.lease_until) FROM stent.workers AS o WHERE o.ended_at IS NULL AND o.id <> $1);
