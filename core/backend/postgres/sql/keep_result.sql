-- Ends a reservation with a result.
-- $1 key, $2 worker, $3 task, $4 token, $5 result, $6 microseconds until it expires; 0 for never
UPDATE stent.results
SET worker = NULL, result = $5, expires_at = CASE WHEN $6::bigint > 0 THEN clock_timestamp() + $6 * interval '1 microsecond' END
WHERE key = $1 AND worker = $2 AND task = $3 AND token = $4;
