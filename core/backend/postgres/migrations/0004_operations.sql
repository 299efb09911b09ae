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

-- Results that activities with the same key share. worker is set while one of them runs.
CREATE TABLE stent.results (
    key        text        COLLATE "C" PRIMARY KEY,
    worker     text,
    task       text        NOT NULL,
    token      bigint      NOT NULL,
    result     bytea,
    expires_at timestamptz  -- NULL: never
);

CREATE INDEX results_expired ON stent.results (expires_at) WHERE expires_at IS NOT NULL;

-- Activities that got another task's result.
CREATE TABLE stent.results_used (
    execution_id text    COLLATE "C" NOT NULL,
    seq          integer NOT NULL,
    task         text    NOT NULL, -- whose
    PRIMARY KEY (execution_id, seq)
);
