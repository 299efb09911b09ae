-- Locks executions that took longer than they may, but for those that another transaction is changing.
-- The transaction's own time decides, which is what they are noted to have ended at: none ends before its deadline.
-- $1 most
SELECT id, coalesce(alias, id::text), workflow, queue, state::text, coalesce(worker, 0), token, cancel_requested_at IS NOT NULL,
       coalesce((extract(epoch FROM deadline_at - created_at) * 1000000)::bigint, 0)
FROM stent.executions
WHERE expires_at <= now() AND state IN ('pending', 'running', 'waiting')
ORDER BY expires_at
LIMIT $1
FOR NO KEY UPDATE SKIP LOCKED;
