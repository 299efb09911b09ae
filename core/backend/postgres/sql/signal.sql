-- Delivers signals to executions that have not ended, unless they were delivered before. In the order of the parameters
-- it tells of each whether the execution is known, whether it has ended, and whether the signal is there.
-- $1 execution, $2 id, $3 name, $4 payload
WITH sent AS (
    INSERT INTO stent.signals (execution_id, id, name, payload, sent_at)
    SELECT u.execution_id, u.id, u.name, u.payload, now()
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY AS u (execution_id, id, name, payload, place)
    JOIN stent.executions AS e ON e.id = u.execution_id AND e.state IN ('pending', 'running', 'waiting')
    ORDER BY u.place
    ON CONFLICT (execution_id, id) DO NOTHING
)
SELECT e.id IS NOT NULL,
       e.state NOT IN ('pending', 'running', 'waiting'),
       EXISTS (SELECT 1 FROM stent.signals AS s WHERE s.execution_id = u.execution_id AND s.id = u.id)
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS u (execution_id, id, place)
LEFT JOIN stent.executions AS e ON e.id = u.execution_id
ORDER BY u.place;
