-- Has workers told that orchestrators which they hold were taken from them.
-- $1 the worker, $2 execution, $3 token
INSERT INTO stent.recalls (worker, execution_id, seq, token, at)
SELECT u.worker, u.execution_id, 0, u.token, clock_timestamp()
FROM unnest($1::integer[], $2::uuid[], $3::integer[]) AS u (worker, execution_id, token)
ON CONFLICT (worker, execution_id, seq) DO UPDATE SET token = excluded.token, at = excluded.at;
