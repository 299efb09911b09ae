-- Ends a reservation without a result.
-- $1 key, $2 worker, $3 task, $4 token
DELETE FROM stent.results WHERE key = $1 AND worker = $2 AND task = $3 AND token = $4;
