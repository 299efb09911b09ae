-- Cancellation, maximal durations, schedule-to-start timeouts, and what activities say of how far they are.
--
-- All columns are NULL in rows that use none of it, so that these write no more than before and stand in no new index.

ALTER TYPE stent.kind ADD VALUE 'cancel';

-- When an execution times out; NULL without a maximal duration, and once it has ended. deadline_at - created_at is how
-- long it may take. An index of the unfinished ones cannot mention finished_at, which would cost every execution a new
-- index entry with its end.
ALTER TABLE stent.executions ADD COLUMN expires_at timestamptz;
UPDATE stent.executions SET expires_at = deadline_at WHERE deadline_at IS NOT NULL AND finished_at IS NULL;
CREATE INDEX executions_expiring ON stent.executions (expires_at) WHERE expires_at IS NOT NULL;

ALTER TABLE stent.tasks
    ADD COLUMN start_within bigint,      -- microseconds for which it may be due in its queue; NULL: no limit
    ADD COLUMN start_by     timestamptz, -- until when it has to be claimed, while it is in its queue
    ADD COLUMN detail       bytea;       -- what it said last of how far it is
CREATE INDEX tasks_expiring ON stent.tasks (start_by) WHERE start_by IS NOT NULL;

-- Tasks that were taken from a worker which runs them, until it may be taken for granted that it knows.
CREATE TABLE stent.recalls (
    worker       integer     NOT NULL,
    execution_id uuid        NOT NULL,
    seq          integer     NOT NULL,
    token        integer     NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (worker, execution_id, seq)
);

-- Who asked for a cancellation is kept too, and that is about no dead letter.
ALTER TABLE stent.audit ALTER COLUMN letter DROP NOT NULL;
