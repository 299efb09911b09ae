-- The fence of turns, and the state that the executions have. A turn is a success, but for one that ends a failed
-- attempt: the crashes before it are forgotten.
-- $1 id, $2 token, $3 whether it is a success, $4 the worker
WITH held AS MATERIALIZED (
    SELECT u.id, e.id AS found, u.success AND e.crashes IS NOT NULL AS crashed, e.cancel_requested_at IS NOT NULL AS cancelling
    FROM unnest($1::uuid[], $2::integer[], $3::boolean[]) AS u (id, token, success)
    LEFT JOIN stent.executions AS e ON e.id = u.id AND e.token = u.token AND e.state = 'running' AND e.worker = $4
), healed AS (
    UPDATE stent.executions AS e SET crashes = NULL FROM held WHERE held.crashed AND e.id = held.found
)
SELECT id, cancelling, CASE WHEN found IS NULL THEN stent.refuse('turns') END FROM held;
