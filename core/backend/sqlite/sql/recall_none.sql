-- Forgets what a worker has been told often enough.
DELETE FROM recalls WHERE worker_id = :worker_id AND at < :before;
