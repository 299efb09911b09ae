-- Takes signals for entries of histories.
-- $1 execution, $2 place, $3 the signal's seq
WITH done AS (
    UPDATE stent.signals AS s
    SET consumed_by = u.seq
    FROM unnest($1::uuid[], $2::integer[], $3::bigint[]) AS u (execution_id, seq, signal)
    WHERE s.execution_id = u.execution_id AND s.seq = u.signal AND s.consumed_by IS NULL
    RETURNING 1
)
SELECT CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('turns') END FROM done;
