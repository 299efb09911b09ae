-- Leases activities to a worker. keys is a JSON list.
UPDATE tasks
SET state = 'running', due_at = NULL, start_by = NULL, worker_id = :worker_id, claimed_by = :worker_id, token = token + 1, started_at = :now
WHERE id IN (SELECT value FROM json_each(:keys)) AND state = 'pending' AND due_at IS NOT NULL;
