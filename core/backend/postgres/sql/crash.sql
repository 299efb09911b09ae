-- Counts the last crash of tasks that are about to be buried.
-- $1 execution, $2 place
UPDATE stent.tasks AS t
SET crashes = coalesce(t.crashes, 0) + 1
FROM unnest($1::uuid[], $2::integer[]) AS u (execution_id, seq)
WHERE t.execution_id = u.execution_id AND t.seq = u.seq;
