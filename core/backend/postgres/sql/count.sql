-- Adds to counters.
-- $1 execution, $2 name, $3 delta
INSERT INTO stent.counters AS c (execution_id, name, value)
SELECT u.execution_id, u.name, sum(u.delta)
FROM unnest($1::uuid[], $2::text[], $3::double precision[]) AS u (execution_id, name, delta)
GROUP BY u.execution_id, u.name
ORDER BY u.execution_id, u.name
ON CONFLICT (execution_id, name) DO UPDATE SET value = c.value + excluded.value;
