-- How many microseconds it is until something has used up its time; NULL if nothing is limited.
SELECT (extract(epoch FROM least(
           (SELECT min(expires_at) FROM stent.executions WHERE expires_at IS NOT NULL),
           (SELECT min(start_by) FROM stent.tasks WHERE start_by IS NOT NULL)) - clock_timestamp()) * 1000000)::bigint;
