-- The first schema.
--
-- Times are microseconds since 1970 UTC. Lists and maps are JSON; an empty list is ''.
--
-- An execution has a number besides its id, and a task's key is made of that number and its place in the history, so
-- that an execution's history lies together in one tree, whatever its id looks like, and needs no index of its own:
-- tasks.id = executions.n << 20 | seq.
--
-- due_at is set exactly while a row can be claimed from its queue. A rank is a priority with its sign changed, so that
-- one ascending index holds what comes first in front.

CREATE TABLE migrations (
    version    INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

-- An execution and its orchestrator task: they begin and end with the same write.
CREATE TABLE executions (
    n                   INTEGER PRIMARY KEY,
    id                  TEXT    NOT NULL UNIQUE,
    workflow            TEXT    NOT NULL,
    queue               TEXT    NOT NULL,
    rank                INTEGER NOT NULL,
    tags                TEXT    NOT NULL,
    state               TEXT    NOT NULL, -- the execution's: pending, running, cancelling or final
    task_state          TEXT    NOT NULL, -- the orchestrator's: pending, running, waiting or final
    due_at              INTEGER,
    worker_id           TEXT    NOT NULL DEFAULT '',
    token               INTEGER NOT NULL DEFAULT 0,
    attempt             INTEGER NOT NULL DEFAULT 1,
    crashes             INTEGER NOT NULL DEFAULT 0,
    woken               INTEGER NOT NULL DEFAULT 0, -- something happened that the holder has not been told
    wakes               INTEGER NOT NULL DEFAULT 0, -- how often something happened while it was held
    input_hash          INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    started_at          INTEGER,
    started_token       INTEGER,                    -- the token of the claim that started it
    finished_at         INTEGER,
    deadline_at         INTEGER,
    cancel_requested_at INTEGER,
    effects             INTEGER NOT NULL DEFAULT 0,
    healed_from         INTEGER NOT NULL DEFAULT 0,
    healed_to           INTEGER NOT NULL DEFAULT 0,
    reopened_token      INTEGER,                    -- the token when a replay reopened it
    cause               TEXT,
    failure             TEXT,
    result              BLOB
) STRICT;

CREATE INDEX executions_claimable ON executions (queue, workflow, tags, rank, due_at, created_at) WHERE due_at IS NOT NULL;
CREATE INDEX executions_held ON executions (worker_id, queue) WHERE task_state = 'running';
CREATE INDEX executions_woken ON executions (worker_id) WHERE woken = 1;
CREATE INDEX executions_live ON executions (n) WHERE finished_at IS NULL;
CREATE INDEX executions_unsuccessful ON executions (state, n) WHERE state IN ('failed', 'timed_out', 'cancelled');

-- What never changes about an execution, apart, so that a change of its state does not write it again.
CREATE TABLE inputs (
    n        INTEGER PRIMARY KEY,
    policy   BLOB,
    metadata TEXT,
    carrier  TEXT,
    input    BLOB
) STRICT;

-- The entries of the histories, but for the orchestrators.
CREATE TABLE tasks (
    id          INTEGER PRIMARY KEY,
    n           INTEGER GENERATED ALWAYS AS (id >> 20) VIRTUAL,
    seq         INTEGER GENERATED ALWAYS AS (id & 1048575) VIRTUAL,
    key         TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    step        TEXT    NOT NULL,
    queue       TEXT    NOT NULL,
    rank        INTEGER NOT NULL,
    tags        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    due_at      INTEGER,
    fires_at    INTEGER,                      -- when a timer, or a wait with a timeout, ends
    worker_id   TEXT    NOT NULL DEFAULT '',
    claimed_by  TEXT,                         -- the worker, while the task stands on a lease of its own and not on its orchestrator's
    token       INTEGER NOT NULL DEFAULT 0,
    attempt     INTEGER NOT NULL DEFAULT 1,
    crashes     INTEGER NOT NULL DEFAULT 0,
    input_hash  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    before      TEXT,                         -- of a task cancelled by its execution's end: its state before
    before_due  INTEGER,                      -- and when it was due
    policy      BLOB,
    failure     TEXT,
    input       BLOB,
    result      BLOB
) STRICT;

CREATE INDEX tasks_claimable ON tasks (queue, step, tags, rank, due_at, created_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_claimed ON tasks (step, claimed_by, queue) WHERE claimed_by IS NOT NULL;

-- Failed attempts. They and the dead letters outlive their execution, so they name it by its id.
CREATE TABLE failures (
    n            INTEGER PRIMARY KEY,
    execution_id TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    attempt      INTEGER NOT NULL,
    worker_id    TEXT    NOT NULL,
    failure      TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    retried      INTEGER NOT NULL
) STRICT;

CREATE INDEX failures_task ON failures (execution_id, seq);

CREATE TABLE dead_letters (
    n            INTEGER PRIMARY KEY,
    execution_id TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    workflow     TEXT    NOT NULL,
    step         TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    queue        TEXT    NOT NULL,
    tags         TEXT    NOT NULL,
    attempts     INTEGER NOT NULL,
    crashes      INTEGER NOT NULL,
    reason       TEXT    NOT NULL,
    failure      TEXT    NOT NULL,
    trace_id     TEXT    NOT NULL,
    moved_at     INTEGER NOT NULL,
    place        INTEGER NOT NULL, -- the last place of the history when it was moved
    UNIQUE (execution_id, seq)
) STRICT;

CREATE INDEX dead_letters_queue ON dead_letters (queue);

-- Signals stay as long as their execution, so that one that comes a second time is known.
CREATE TABLE signals (
    seq         INTEGER PRIMARY KEY,
    n           INTEGER NOT NULL, -- the execution
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    payload     BLOB,
    sent_at     INTEGER NOT NULL,
    consumed_by INTEGER,          -- the place of the entry that took it
    UNIQUE (n, id)
) STRICT;

CREATE INDEX signals_unconsumed ON signals (n) WHERE consumed_by IS NULL;

CREATE TABLE counters (
    n     INTEGER NOT NULL, -- the execution
    name  TEXT    NOT NULL,
    value REAL    NOT NULL,
    PRIMARY KEY (n, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE custom_state (
    n     INTEGER NOT NULL, -- the execution
    name  TEXT    NOT NULL,
    value TEXT    NOT NULL, -- JSON
    PRIMARY KEY (n, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE workers (
    n           INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    host        TEXT    NOT NULL,
    pid         INTEGER NOT NULL,
    queues      TEXT    NOT NULL,
    tags        TEXT    NOT NULL,
    steps       TEXT    NOT NULL,
    slots       INTEGER NOT NULL,
    used        INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    renewed_at  INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    ended_at    INTEGER
) STRICT;

CREATE TABLE queues (
    name   TEXT    PRIMARY KEY,
    paused INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What people did to dead letters.
CREATE TABLE audit (
    n            INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    actor        TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    execution_id TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    detail       TEXT    NOT NULL
) STRICT;

-- Executions by state, kept up to date with every transaction, so that nobody has to count the finished ones.
CREATE TABLE tallies (
    state TEXT    PRIMARY KEY,
    n     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
