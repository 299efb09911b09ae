-- Child workflows, and executions that begin anew.

ALTER TABLE executions ADD COLUMN parent TEXT;                       -- the id of the task that this is the call of, as text
ALTER TABLE executions ADD COLUMN run INTEGER NOT NULL DEFAULT 1;    -- how often it has begun anew
ALTER TABLE executions ADD COLUMN base INTEGER NOT NULL DEFAULT 0;   -- the place after which the history of this run begins

ALTER TABLE tasks ADD COLUMN child TEXT;                             -- the execution of a call of a workflow
ALTER TABLE tasks ADD COLUMN detached INTEGER;                       -- it goes on when this execution ends
ALTER TABLE tasks ADD COLUMN place INTEGER;                          -- the last place of the history when it failed
