-- Prepares a transaction as settings.sql does, and holds off the reaper: while this lock is held, the worker's tasks cannot be
-- given to others. It is waited for here, so that the statements that follow see what a reaper did before.
-- $1 the schema's class of locks, $2 the worker
SELECT pg_advisory_xact_lock_shared($1::integer, $2::integer) IS NULL,
-- include parts/settings.sql
