-- Executions by state. Finished ones are not looked at: they are tallied.
WITH tallied AS (
    SELECT state, sum(n)::bigint AS n FROM stent.tallies GROUP BY state
), live AS (
    SELECT coalesce(sum(CASE state WHEN 'created' THEN n ELSE -n END), 0)::bigint AS n,
           (SELECT count(*) FROM stent.executions WHERE due_at IS NOT NULL AND started_at IS NULL)
           - (SELECT count(*) FROM stent.executions WHERE cancel_requested_at IS NOT NULL AND due_at IS NOT NULL AND started_at IS NULL) AS pending,
           (SELECT count(*) FROM stent.executions WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL) AS cancelling
    FROM tallied
)
SELECT state, n FROM tallied WHERE state <> 'created' AND n <> 0
UNION ALL
SELECT s.state, s.n
FROM live CROSS JOIN LATERAL (VALUES ('pending', pending), ('cancelling', cancelling), ('running', n - pending - cancelling)) AS s (state, n)
WHERE s.n <> 0;
