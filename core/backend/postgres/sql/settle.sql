-- Ends timers and waits for signals.
-- $1 execution, $2 place, $3 state, $4 result
WITH done AS (
    UPDATE stent.tasks AS t
    SET state = u.state::stent.state, result = u.result, finished_at = now()
    FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::bytea[]) AS u (execution_id, seq, state, result)
    WHERE t.execution_id = u.execution_id AND t.seq = u.seq AND t.state = 'waiting'
    RETURNING 1
)
SELECT CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('turns') END FROM done;
