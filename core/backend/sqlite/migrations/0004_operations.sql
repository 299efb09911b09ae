-- What operators do while work goes on, and who did it.

ALTER TABLE queues ADD COLUMN paused_at INTEGER;
ALTER TABLE queues ADD COLUMN paused_by TEXT NOT NULL DEFAULT '';

ALTER TABLE audit ADD COLUMN subject TEXT NOT NULL DEFAULT '';    -- the queue's or schedule's name, where it is about one
ALTER TABLE audit ADD COLUMN letter  INTEGER NOT NULL DEFAULT 0;  -- dead_letters.n, so that a list goes on after a letter that is gone

CREATE INDEX audit_task ON audit (execution_id, seq);

-- Housekeeping that one worker does at a time.
CREATE TABLE chores (
    name   TEXT    PRIMARY KEY,
    worker TEXT,              -- who does it, as long as that is registered
    due_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Results that activities with the same key share. worker is set while one of them runs.
CREATE TABLE results (
    key        TEXT    PRIMARY KEY,
    worker     TEXT,
    task       TEXT    NOT NULL,
    token      INTEGER NOT NULL,
    result     BLOB,
    expires_at INTEGER           -- NULL: never
) STRICT;

CREATE INDEX results_expired ON results (expires_at) WHERE expires_at IS NOT NULL;

-- Activities that got another task's result.
CREATE TABLE results_used (
    execution_id TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    task         TEXT    NOT NULL, -- whose
    PRIMARY KEY (execution_id, seq)
) STRICT, WITHOUT ROWID;
