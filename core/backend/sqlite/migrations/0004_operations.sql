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
