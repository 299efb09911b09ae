-- Ends workers.
-- $1 the workers, $2 state
UPDATE stent.workers SET state = $2, used = 0, ended_at = clock_timestamp() WHERE n = ANY ($1::integer[]) AND ended_at IS NULL;
