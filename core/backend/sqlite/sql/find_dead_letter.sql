-- Reads one dead letter.
SELECT n, execution_id, seq, workflow, step, kind, queue, tags, attempts, crashes, reason, failure, trace_id, moved_at, place
FROM dead_letters
WHERE execution_id = :execution_id AND seq = :seq;
