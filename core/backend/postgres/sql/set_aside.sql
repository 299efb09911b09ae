-- Frees the keys of entries that no longer fit their workflow.
-- $1 execution, $2 place
UPDATE stent.tasks AS t
SET key = ''
FROM unnest($1::uuid[], $2::integer[]) AS u (execution_id, seq)
WHERE t.execution_id = u.execution_id AND t.seq = u.seq;
