-- Forgets claims of which nothing is held any more.
-- $1 the worker, $2 the claims
DELETE FROM stent.held WHERE worker = $1 AND n = ANY ($2::bigint[]);
