-- Forgets what ended workers were to be told.
-- $1 the workers
DELETE FROM stent.recalls WHERE worker = ANY ($1::integer[]);
