-- The executions that a worker holds and to which something happened, told once. What is being changed right now is
-- told next time: a claim waits for nobody.
-- $1 the worker
UPDATE stent.executions
SET woken = NULL
WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM stent.executions WHERE worker = $1 AND woken AND state = 'running' FOR NO KEY UPDATE SKIP LOCKED))
RETURNING coalesce(alias, id::text);
