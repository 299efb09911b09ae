-- Deletes results that have expired.
DELETE FROM results WHERE key IN (SELECT key FROM results WHERE expires_at <= :now ORDER BY expires_at LIMIT :most);
