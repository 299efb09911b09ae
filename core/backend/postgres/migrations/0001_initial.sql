-- The first schema.
--
-- What is written for each task decides the speed of a PostgreSQL server, so rows are narrow and updates are in place:
--
--   * a default is NULL: attempt 1, no crashes, rank 0 and kind activity of a task that never was in a queue;
--   * columns that change stand last, since an update logs a row from its first changed byte on;
--   * pages are filled by half, so that an update finds room beside the old row;
--   * no index mentions a column that changes when an execution ends, or an activity that never was in a queue, so that
--     the update touches no index (HOT). A state, above all, is in none.
--
-- An id is a UUID. One that a user chose is hashed into one (SHA-256, UUID version 8) and kept in alias.
-- due_at is set exactly while a row can be claimed from its queue. A rank is a priority with its sign changed, so that
-- one ascending index holds what comes first in front.

CREATE TABLE stent.migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TYPE stent.state AS ENUM ('pending', 'running', 'waiting', 'completed', 'failed', 'cancelled', 'timed_out');
CREATE TYPE stent.kind AS ENUM ('activity', 'timer', 'signal', 'side_effect');

-- An execution and its orchestrator task: they begin and end with the same write.
CREATE TABLE stent.executions (
    id                  uuid        PRIMARY KEY,
    created_at          timestamptz NOT NULL,
    input_hash          bigint,
    deadline_at         timestamptz,
    rank                integer     NOT NULL,
    alias               text        COLLATE "C",
    workflow            text        COLLATE "C" NOT NULL,
    queue               text        COLLATE "C" NOT NULL,
    tags                text        COLLATE "C" NOT NULL, -- an array as text; '' for none
    policy              bytea,
    metadata            json,
    carrier             json,
    input               bytea,
    token               integer     NOT NULL DEFAULT 0,
    worker              integer,     -- workers.n of who holds the orchestrator, or held it last
    attempt             integer,     -- NULL: 1
    crashes             integer,     -- NULL: 0
    wakes               integer,     -- how often something happened while it was held; NULL: 0
    effects             integer,     -- NULL: 0
    healed_from         integer,
    healed_to           integer,
    reopened_token      integer,     -- the token when a replay reopened it
    cancel_requested_at timestamptz,
    started_at          timestamptz,
    started_token       integer,     -- the token of the claim that started it; NULL: 1
    due_at              timestamptz,
    woken               boolean,     -- something happened that the holder has not been told; NULL: no
    state               stent.state NOT NULL, -- the orchestrator's
    finished_at         timestamptz,
    result              bytea,
    failure             json,
    cause               text
) WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

CREATE INDEX executions_claimable ON stent.executions (queue, workflow, tags, rank, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX executions_woken ON stent.executions (worker) WHERE woken;
CREATE INDEX executions_alias ON stent.executions (alias) WHERE alias IS NOT NULL;
CREATE INDEX executions_cancelled ON stent.executions (id) WHERE cancel_requested_at IS NOT NULL;
-- A summary of every few pages instead of an entry for each row: it costs next to nothing to keep, and is enough to
-- list the newest.
CREATE INDEX executions_created ON stent.executions USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);

-- What workers claimed: a row for each claim that took orchestrators, until none of them is held any more. An index of the
-- orchestrators by worker would have to change with each claim and with each end.
CREATE TABLE stent.held (
    worker     integer NOT NULL,
    n          bigint  GENERATED ALWAYS AS IDENTITY,
    executions uuid[]  NOT NULL,
    PRIMARY KEY (worker, n)
) WITH (autovacuum_vacuum_scale_factor = 0.01);

-- The entries of the histories, but for the orchestrators.
CREATE TABLE stent.tasks (
    execution_id uuid        NOT NULL,
    started_at   timestamptz,
    created_at   timestamptz, -- NULL: it was started as it was created
    input_hash   bigint,
    seq          integer     NOT NULL,
    worker       integer,     -- workers.n of who holds it, or held it last
    token        integer     NOT NULL,
    rank         integer,     -- NULL: 0
    kind         stent.kind,  -- NULL: activity
    key          text        COLLATE "C" NOT NULL, -- from # on if it is the step's name and an ordinal
    step         text        COLLATE "C" NOT NULL,
    queue        text        COLLATE "C" NOT NULL,
    tags         text        COLLATE "C" NOT NULL,
    policy       bytea,
    input        bytea,
    claimed_by   integer,     -- workers.n, while the task stands on a lease of its own and not on its orchestrator's
    attempt      integer,     -- NULL: 1
    crashes      integer,     -- NULL: 0
    due_at       timestamptz,
    fires_at     timestamptz, -- when a timer, or a wait with a timeout, ends
    before       stent.state, -- of a task cancelled by its execution's end: its state before
    before_due   timestamptz, -- and when it was due
    state        stent.state NOT NULL,
    finished_at  timestamptz,
    result       bytea,
    failure      json,
    PRIMARY KEY (execution_id, seq)
) WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

CREATE INDEX tasks_claimable ON stent.tasks (queue, step, tags, rank, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_claimed ON stent.tasks (step, claimed_by) WHERE claimed_by IS NOT NULL;

-- Failed attempts. They and the dead letters outlive their execution.
CREATE TABLE stent.failures (
    n            bigint      GENERATED ALWAYS AS IDENTITY,
    execution_id uuid        NOT NULL,
    seq          integer     NOT NULL,
    attempt      integer     NOT NULL,
    worker       text,
    failure      json        NOT NULL,
    at           timestamptz NOT NULL,
    retried      boolean     NOT NULL,
    PRIMARY KEY (execution_id, seq, n)
);

CREATE TABLE stent.dead_letters (
    n            bigint      GENERATED ALWAYS AS IDENTITY,
    execution_id uuid        NOT NULL,
    alias        text        COLLATE "C",
    seq          integer     NOT NULL,
    workflow     text        NOT NULL,
    step         text        NOT NULL,
    kind         text        NOT NULL,
    queue        text        COLLATE "C" NOT NULL,
    tags         text        NOT NULL,
    attempts     integer     NOT NULL,
    crashes      integer     NOT NULL,
    reason       text        NOT NULL,
    failure      json        NOT NULL,
    trace_id     text        NOT NULL,
    moved_at     timestamptz NOT NULL,
    place        integer     NOT NULL, -- the last place of the history when it was moved
    PRIMARY KEY (execution_id, seq)
);

CREATE UNIQUE INDEX dead_letters_n ON stent.dead_letters (n);
CREATE INDEX dead_letters_queue ON stent.dead_letters (queue);

-- Signals stay as long as their execution, so that one that comes a second time is known.
CREATE TABLE stent.signals (
    seq          bigint      GENERATED ALWAYS AS IDENTITY,
    execution_id uuid        NOT NULL,
    id           text        COLLATE "C" NOT NULL,
    name         text        NOT NULL,
    payload      bytea,
    sent_at      timestamptz NOT NULL,
    consumed_by  integer,     -- the place of the entry that took it
    PRIMARY KEY (execution_id, id)
) WITH (fillfactor = 80);

CREATE TABLE stent.counters (
    execution_id uuid             NOT NULL,
    name         text             COLLATE "C" NOT NULL,
    value        double precision NOT NULL,
    PRIMARY KEY (execution_id, name)
) WITH (fillfactor = 80);

CREATE TABLE stent.custom_state (
    execution_id uuid NOT NULL,
    name         text COLLATE "C" NOT NULL,
    value        json NOT NULL,
    PRIMARY KEY (execution_id, name)
) WITH (fillfactor = 80);

CREATE TABLE stent.workers (
    n           integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          text        COLLATE "C" NOT NULL UNIQUE,
    host        text        NOT NULL,
    pid         integer     NOT NULL,
    queues      text[]      NOT NULL,
    tags        text[]      NOT NULL,
    steps       text[]      NOT NULL,
    slots       integer     NOT NULL,
    used        integer     NOT NULL,
    state       text        NOT NULL,
    version     text        NOT NULL,
    started_at  timestamptz NOT NULL,
    renewed_at  timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    ended_at    timestamptz
) WITH (fillfactor = 50);

CREATE TABLE stent.queues (
    name   text    COLLATE "C" PRIMARY KEY,
    paused boolean NOT NULL
);

-- How many executions were made ('created') and have ended, by state, so that nobody has to count the finished ones. Each
-- transaction adds rows, and from time to time they are added up.
CREATE TABLE stent.tallies (
    state text   NOT NULL,
    n     bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.01);

-- What people did to dead letters.
CREATE TABLE stent.audit (
    n            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    actor        text        NOT NULL,
    action       text        NOT NULL,
    execution_id text        NOT NULL,
    seq          integer     NOT NULL,
    detail       text        NOT NULL,
    letter       bigint      NOT NULL -- dead_letters.n, so that a list goes on after a letter that is gone
);

CREATE INDEX audit_task ON stent.audit (execution_id, seq);

-- refuse ends a transaction of which part turned out to belong to a lost lease. The program then finds out which part,
-- and does the rest again.
CREATE FUNCTION stent.refuse(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stent: part of % is refused, the batch is written again without it', what USING ERRCODE = 'ST001';
END
$$;
