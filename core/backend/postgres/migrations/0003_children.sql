-- Child workflows, and executions that begin anew. What most rows do not have is NULL and takes no room.

ALTER TYPE stent.kind ADD VALUE 'child';

ALTER TABLE stent.executions
    ADD COLUMN parent_id    uuid,             -- the execution that this is a call of
    ADD COLUMN parent_seq   integer,          -- and the place of the call in its history
    ADD COLUMN parent_alias text COLLATE "C", -- executions.alias of the parent, which may be gone
    ADD COLUMN run          integer,          -- how often it has begun anew; NULL: 1
    ADD COLUMN base         integer;          -- the place after which the history of this run begins; NULL: 0

ALTER TABLE stent.tasks
    ADD COLUMN child_id    uuid,              -- the execution of a call of a workflow
    ADD COLUMN child_alias text COLLATE "C",  -- executions.alias of it
    ADD COLUMN detached    boolean,           -- it goes on when this execution ends; NULL: no
    ADD COLUMN place       integer;           -- the last place of the history when it failed
