-- Makes sure that tasks which are about to be cancelled, and whose workflows were told so, have not ended otherwise.
-- $1 execution, $2 place
WITH open AS (
    SELECT 1
    FROM unnest($1::uuid[], $2::integer[]) AS u (execution_id, seq)
    JOIN stent.tasks AS t ON t.execution_id = u.execution_id AND t.seq = u.seq
    WHERE t.state IN ('pending', 'running', 'waiting', 'cancelled')
    FOR NO KEY UPDATE OF t
)
SELECT CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('turns') END FROM open;
