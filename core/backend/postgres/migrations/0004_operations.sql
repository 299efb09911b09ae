-- What operators do while work goes on, and who did it.

ALTER TABLE stent.queues ADD COLUMN paused_at timestamptz;
ALTER TABLE stent.queues ADD COLUMN paused_by text NOT NULL DEFAULT '';

ALTER TABLE stent.audit ADD COLUMN subject text NOT NULL DEFAULT ''; -- the queue's or schedule's name, where it is about one
ALTER TABLE stent.audit ALTER COLUMN letter SET DEFAULT 0;

-- Housekeeping that one worker does at a time.
CREATE TABLE stent.chores (
    name   text        COLLATE "C" PRIMARY KEY,
    worker text,        -- who does it, as long as that is registered
    due_at timestamptz NOT NULL
);
