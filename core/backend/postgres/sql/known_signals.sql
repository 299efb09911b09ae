-- Which signals have not been consumed.
-- $1 execution, $2 the signal's seq
SELECT s.execution_id, s.seq
FROM unnest($1::uuid[], $2::bigint[]) AS u (execution_id, seq)
JOIN stent.signals AS s ON s.execution_id = u.execution_id AND s.seq = u.seq AND s.consumed_by IS NULL;
