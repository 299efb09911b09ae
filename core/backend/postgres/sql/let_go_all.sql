-- Forgets the claims of ended workers.
-- $1 the workers
DELETE FROM stent.held WHERE worker = ANY ($1::integer[]);
