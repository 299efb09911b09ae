-- Begins other runs of executions: their histories are empty.
-- $1 id, $2 token, $3 run, $4 the place after which its history begins, $5 input
WITH done AS (
    UPDATE stent.executions AS e
    SET run = u.run, base = u.base, input = u.input, attempt = NULL, crashes = NULL, effects = NULL, healed_from = NULL, healed_to = NULL
    FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::bytea[]) AS u (id, token, run, base, input)
    WHERE e.id = u.id AND e.token = u.token AND e.state = 'running' AND coalesce(e.run, 1) < u.run
    RETURNING 1
)
SELECT CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('turns') END FROM done;
