-- Gives activities back to their queues as if they had not been claimed.
-- $1 execution, $2 place, $3 token, $4 detail or NULL
WITH done AS (
    UPDATE stent.tasks AS t
    SET state = 'pending', due_at = now(), rank = coalesce(t.rank, 0), claimed_by = NULL,
        created_at = coalesce(t.created_at, t.started_at), started_at = NULL,
        detail = coalesce(u.detail, t.detail), start_by = now() + t.start_within * interval '1 microsecond'
    FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::bytea[]) AS u (execution_id, seq, token, detail)
    WHERE t.execution_id = u.execution_id AND t.seq = u.seq AND t.token = u.token AND t.state = 'running'
    RETURNING t.queue
)
SELECT array_agg(DISTINCT queue), CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('releases') END FROM done;
