-- What begins executions at times of its own. rule is JSON that the engine writes: when, and what becomes of missed ticks.
CREATE TABLE schedules (
    name           TEXT    PRIMARY KEY,
    rule           TEXT    NOT NULL,
    next_at        INTEGER,            -- the tick to come; NULL while it is paused
    paused_at      INTEGER,
    paused_by      TEXT    NOT NULL,
    last_tick      INTEGER,            -- that began something
    last_execution TEXT    NOT NULL,   -- what it began
    skipped        INTEGER NOT NULL,   -- ticks that began nothing, since the execution before had not ended
    revision       INTEGER NOT NULL,   -- grows with every write
    created_at     INTEGER NOT NULL,
    changed_at     INTEGER NOT NULL,

    -- What each tick begins.
    workflow       TEXT    NOT NULL,
    queue          TEXT    NOT NULL,
    priority       INTEGER NOT NULL,
    tags           TEXT    NOT NULL,
    policy         BLOB,
    input          BLOB,
    input_hash     INTEGER NOT NULL,
    max_duration   INTEGER NOT NULL,   -- microseconds; 0 for none
    metadata       TEXT
) STRICT;

CREATE INDEX schedules_next ON schedules (next_at) WHERE next_at IS NOT NULL;
