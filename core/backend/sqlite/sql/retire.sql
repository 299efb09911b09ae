-- Ends a worker.
UPDATE workers SET state = :state, used = 0, ended_at = :now WHERE id = :worker_id AND ended_at IS NULL;
