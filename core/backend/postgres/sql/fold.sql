-- Adds tallies up, if there are many. Of two who do it at once the second leaves it.
-- $1 the schema's class of locks
WITH gone AS (
    DELETE FROM stent.tallies
    WHERE (SELECT count(*) > 100 FROM stent.tallies) AND (SELECT pg_try_advisory_xact_lock($1::integer, 0))
    RETURNING state, n
)
INSERT INTO stent.tallies (state, n) SELECT state, sum(n) FROM gone GROUP BY state;
