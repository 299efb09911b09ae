-- Deletes results that have expired.
-- $1 most
DELETE FROM stent.results
WHERE key = ANY (ARRAY(SELECT key FROM stent.results WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED));
