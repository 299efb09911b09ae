-- Waits until nothing of a worker is being written any more, and lets it write nothing until this transaction ends.
-- $1 the schema's class of locks, $2 the worker
SELECT pg_advisory_xact_lock($1::integer, $2::integer);
