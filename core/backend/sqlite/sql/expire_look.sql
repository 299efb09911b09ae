-- When the next of what is limited in time is over.
SELECT min(at) FROM (
    SELECT min(expires_at) AS at FROM executions WHERE expires_at IS NOT NULL
    UNION ALL
    SELECT min(start_by) FROM tasks WHERE start_by IS NOT NULL
);
