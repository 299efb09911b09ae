-- What tells whether changes of tasks were applied before, or may be.
-- $1 execution, $2 place
SELECT t.execution_id, t.seq, t.state::text, t.token, t.key, t.step
FROM unnest($1::uuid[], $2::integer[]) AS u (execution_id, seq)
JOIN stent.tasks AS t ON t.execution_id = u.execution_id AND t.seq = u.seq;
