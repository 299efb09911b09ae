-- Ends a reservation without a result.
DELETE FROM results WHERE key = :key AND worker = :worker_id AND task = :task AND token = :token;
