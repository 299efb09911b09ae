-- Gives tasks of ended workers back to their queues.
-- $1 execution, $2 place, $3 token, $4 crashes to add
UPDATE stent.tasks AS t
SET state = 'pending', due_at = now(), rank = coalesce(t.rank, 0), claimed_by = NULL, start_by = now() + t.start_within * interval '1 microsecond',
    crashes = nullif(coalesce(t.crashes, 0) + u.crashes, 0)
FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[]) AS u (execution_id, seq, token, crashes)
WHERE t.execution_id = u.execution_id AND t.seq = u.seq AND t.token = u.token AND t.state = 'running';
