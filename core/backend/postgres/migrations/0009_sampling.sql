-- The age of each queue's oldest dead letter, without reading the letters.
DROP INDEX stent.dead_letters_queue;
CREATE INDEX dead_letters_queue ON stent.dead_letters (queue, moved_at);

-- Pending executions are counted from the index alone. started_at changes only with a claim, which changes due_at too, so
-- no update touches an index that it did not touch before.
DROP INDEX stent.executions_claimable;
CREATE INDEX executions_claimable ON stent.executions (queue, workflow, tags, rank, due_at) INCLUDE (started_at) WHERE due_at IS NOT NULL;
