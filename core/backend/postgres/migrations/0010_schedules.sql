-- What begins executions at times of its own. rule is JSON that the engine writes: when, and what becomes of missed ticks.
CREATE TABLE stent.schedules (
    name           text        COLLATE "C" PRIMARY KEY,
    rule           text        NOT NULL,
    next_at        timestamptz,             -- the tick to come; NULL while it is paused
    paused_at      timestamptz,
    paused_by      text        NOT NULL,
    last_tick      timestamptz,             -- that began something
    last_execution text        NOT NULL,    -- what it began
    last_id        uuid,                    -- its key
    skipped        bigint      NOT NULL,    -- ticks that began nothing, since the execution before had not ended
    revision       bigint      NOT NULL,    -- grows with every write
    created_at     timestamptz NOT NULL,
    changed_at     timestamptz NOT NULL,

    -- What each tick begins.
    workflow       text        NOT NULL,
    queue          text        NOT NULL,
    priority       integer     NOT NULL,
    tags           text[]      NOT NULL,
    policy         bytea,
    input          bytea,
    input_hash     bigint      NOT NULL,
    max_duration   bigint      NOT NULL,    -- microseconds; 0 for none
    metadata       text
);

CREATE INDEX schedules_next ON stent.schedules (next_at) WHERE next_at IS NOT NULL;
