-- Notes which effects of executions are in the database.
-- $1 id, $2 token, $3 effects
WITH done AS (
    UPDATE stent.executions AS e
    SET effects = u.effects
    FROM unnest($1::uuid[], $2::integer[], $3::integer[]) AS u (id, token, effects)
    WHERE e.id = u.id AND e.token = u.token AND e.state = 'running' AND coalesce(e.effects, 0) < u.effects
    RETURNING 1
)
SELECT CASE WHEN count(*) <> cardinality($1) THEN stent.refuse('turns') END FROM done;
