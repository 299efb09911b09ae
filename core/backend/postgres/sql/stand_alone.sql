-- Activities that stood on their orchestrator's lease get one of their own, as the orchestrator leaves its worker.
-- $1 execution
UPDATE stent.tasks SET claimed_by = worker
WHERE execution_id = ANY ($1::uuid[]) AND state = 'running' AND claimed_by IS NULL;
