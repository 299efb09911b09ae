-- Keeps what running activities say of how far they are.
-- $1 execution, $2 place, $3 token, $4 detail
WITH done AS (
    UPDATE stent.tasks AS t
    SET detail = u.detail
    FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::bytea[]) AS u (execution_id, seq, token, detail)
    WHERE t.execution_id = u.execution_id AND t.seq = u.seq AND t.token = u.token AND t.state = 'running'
    RETURNING 1
)
SELECT CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('beats') END FROM done;
