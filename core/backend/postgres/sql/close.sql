-- Ends executions. One that is asked to cancel ends as cancelled, whatever its workflow says.
-- $1 id, $2 token, $3 state, $4 result, $5 failure, $6 cause
WITH done AS (
    UPDATE stent.executions AS e
    SET state   = CASE WHEN e.cancel_requested_at IS NULL THEN u.state::stent.state ELSE 'cancelled' END,
        result  = CASE WHEN e.cancel_requested_at IS NULL THEN u.result END,
        failure = CASE WHEN e.cancel_requested_at IS NULL THEN u.failure::json END,
        cause   = CASE WHEN e.cancel_requested_at IS NULL THEN u.cause END,
        finished_at = now(), woken = NULL, expires_at = NULL
    FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::bytea[], $5::text[], $6::text[]) AS u (id, token, state, result, failure, cause)
    WHERE e.id = u.id AND e.token = u.token AND e.state = 'running'
    RETURNING e.id, e.state
), tallied AS (
    INSERT INTO stent.tallies (state, n) SELECT state::text, count(*) FROM done GROUP BY state
)
SELECT CASE WHEN (SELECT count(*) FROM done) <> cardinality($1) THEN stent.refuse('turns') END,
       ARRAY(SELECT id FROM done WHERE state = 'cancelled');
