-- Ends a reservation with a result.
UPDATE results SET worker = NULL, result = :result, expires_at = :expires_at
WHERE key = :key AND worker = :worker_id AND task = :task AND token = :token;
