-- Activities that stood on their orchestrator's lease get one of their own, as the orchestrator leaves its worker.
UPDATE tasks SET claimed_by = worker_id
WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575 AND state = 'running' AND claimed_by IS NULL;
