-- Reads the signals of executions that nothing has consumed.
-- $1 id
SELECT coalesce(e.alias, e.id::text), s.seq, s.id, s.name, s.payload, s.sent_at
FROM unnest($1::uuid[]) AS u (id)
JOIN stent.executions AS e ON e.id = u.id
JOIN stent.signals AS s ON s.execution_id = u.id
WHERE s.consumed_by IS NULL
ORDER BY s.execution_id, s.seq;
