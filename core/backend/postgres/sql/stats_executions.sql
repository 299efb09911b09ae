-- Executions by state.
SELECT CASE WHEN finished_at IS NOT NULL THEN state::text WHEN cancel_requested_at IS NOT NULL THEN 'cancelling'
            WHEN started_at IS NULL THEN 'pending' ELSE 'running' END, count(*)
FROM stent.executions
GROUP BY 1;
