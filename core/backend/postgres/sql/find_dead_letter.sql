-- Reads one dead letter.
-- $1 execution, $2 place
SELECT n, execution_id, coalesce(alias, execution_id::text), seq, workflow, step, kind, queue, nullif(tags, '')::text[], attempts, crashes, reason, failure, trace_id, moved_at, place
FROM stent.dead_letters
WHERE execution_id = $1 AND seq = $2;
