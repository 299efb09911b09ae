-- Cancellation, maximal durations, schedule-to-start timeouts, and what activities say of how far they are.
--
-- All columns are NULL in rows that use none of it, so that these write no more than before and stand in no new index.

-- When an execution times out; NULL without a maximal duration, and once it has ended. deadline_at - created_at is how
-- long it may take.
ALTER TABLE executions ADD COLUMN expires_at INTEGER;
UPDATE executions SET expires_at = deadline_at WHERE deadline_at IS NOT NULL AND finished_at IS NULL;
CREATE INDEX executions_expiring ON executions (expires_at) WHERE expires_at IS NOT NULL;

ALTER TABLE tasks ADD COLUMN start_within INTEGER; -- for how long it may be due in its queue; NULL: no limit
ALTER TABLE tasks ADD COLUMN start_by INTEGER;     -- until when it has to be claimed, while it is in its queue
ALTER TABLE tasks ADD COLUMN detail BLOB;          -- what it said last of how far it is
CREATE INDEX tasks_expiring ON tasks (start_by) WHERE start_by IS NOT NULL;

-- Tasks that were taken from a worker which runs them, until it may be taken for granted that it knows.
CREATE TABLE recalls (
    worker_id TEXT    NOT NULL,
    task      INTEGER NOT NULL, -- tasks.id; executions.n << 20 for an orchestrator
    token     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (worker_id, task)
) STRICT, WITHOUT ROWID;
