-- Sets items of custom state; of several values for one item the last counts.
-- $1 execution, $2 name, $3 value
INSERT INTO stent.custom_state (execution_id, name, value)
SELECT DISTINCT ON (u.execution_id, u.name) u.execution_id, u.name, u.value::json
FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS u (execution_id, name, value, place)
ORDER BY u.execution_id, u.name, u.place DESC
ON CONFLICT (execution_id, name) DO UPDATE SET value = excluded.value;
